"""Integration metrics equal those of scib-metrics, and known scores of simple geometries."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_samples

from sagefm.clustering.integration import (
    BATCH_CORRECTION,
    BIO_CONSERVATION,
    cohort_integration,
    integration_scores,
    integration_summary,
    lisi,
    lisi_neighbours,
    lisi_weights,
)
from sagefm.clustering.scopes import Scope
from support.clustered import SETTINGS
from support.integration_cases import cases

FROZEN = Path(__file__).parents[1] / "data" / "integration" / "scib_metrics.tsv"


@pytest.fixture(scope="module")
def frozen() -> pd.DataFrame:
    """scib-metrics 0.5.10 on the same cases; made by `freeze.py` beside it."""
    return pd.read_csv(FROZEN, sep="\t").pivot(index="case", columns="metric", values="value")


@pytest.mark.parametrize("name", cases())
def test_every_metric_is_scib_metrics(frozen, name):
    found = integration_scores(*cases()[name], seed=0)
    assert {*found, "nmi", "ari"} == {*BIO_CONSERVATION, *BATCH_CORRECTION, "cilisi"}
    for metric, value in found.items():
        assert value == pytest.approx(frozen.loc[name, metric], abs=2e-5), metric


@pytest.mark.parametrize("name", cases())
def test_the_summary_is_scib_metrics(frozen, name):
    expected = frozen.loc[name]
    found = integration_summary(expected[[*BIO_CONSERVATION, *BATCH_CORRECTION]].to_dict())
    assert set(found) == {"bio_conservation", "batch_correction", "total"}
    for metric, value in found.items():
        assert value == pytest.approx(expected[metric], abs=1e-6), metric


def test_a_summary_of_one_half_has_no_total():
    found = integration_summary(dict.fromkeys(BIO_CONSERVATION, 0.5) | {"ilisi": 0.5})
    assert found == {"bio_conservation": 0.5}


def test_nearest_spots_by_brute_force():
    values = np.random.default_rng(0).normal(size=(700, 3))  # more than are taken at once
    apart = np.linalg.norm(values[:, None] - values, axis=2)
    distances, near = lisi_neighbours(values, 20, seed=0)
    np.testing.assert_allclose(distances, np.sort(apart, axis=1)[:, :20], atol=1e-7)
    np.testing.assert_array_equal(near, np.argsort(apart, axis=1)[:, :20])
    assert lisi_neighbours(values[:8], 20, seed=0)[1].shape == (8, 8)


def test_equally_near_spots_are_taken_at_random_but_by_the_seed():
    values = np.repeat([[0.0], [5.0]], 200, axis=0)
    near = lisi_neighbours(values, 30, seed=0)[1]
    assert (near[:, 0] == np.arange(400)).all()
    assert (near[:200] < 200).all() and len(np.unique(near[:200])) == 200
    np.testing.assert_array_equal(near, lisi_neighbours(values, 30, seed=0)[1])
    assert (near != lisi_neighbours(values, 30, seed=1)[1]).any()


def test_labels_themselves_are_the_ceiling():
    """One place a label, patients mixed in it: nothing to correct, all biology conserved."""
    rng = np.random.default_rng(0)
    labels, batches = rng.integers(3, size=900), rng.integers(4, size=900)
    values = np.eye(3)[labels] - np.eye(3)[labels].mean(axis=0)
    found = integration_scores(values, labels, batches, seed=0)
    for metric in ("clisi", "silhouette", "isolated_labels", "graph_connectivity", "bras"):
        assert found[metric] == pytest.approx(1), metric
    assert found["ilisi"] > 0.85 and found["cilisi"] > 0.85


def test_patients_apart_are_not_integrated():
    rng = np.random.default_rng(1)
    labels, batches = rng.integers(2, size=300), rng.integers(2, size=300)
    values = rng.normal(size=(300, 4)) + 100 * np.eye(4)[batches]
    found = integration_scores(values - values.mean(axis=0), labels, batches, seed=0)
    assert [found["ilisi"], found["cilisi"]] == pytest.approx([0, 0])
    assert found["bras"] < 0.05


def test_lisi_of_even_weights_is_the_number_of_groups():
    weights = lisi_weights(np.zeros((2, 12)), perplexity=12)
    groups = np.stack([np.arange(12) % 4, np.zeros(12, dtype=int)])
    np.testing.assert_allclose(lisi(weights, groups), [4, 1])


def test_perplexity_is_what_is_asked_for_at_any_scale():
    distances = np.random.default_rng(2).random((50, 89)) * np.logspace(-3, 4, 50)[:, None]
    weights = lisi_weights(distances, perplexity=30)
    entropy = -(weights * np.log(np.maximum(weights, 1e-300))).sum(axis=1)
    np.testing.assert_allclose(np.exp(entropy), 30, rtol=1e-4)


def test_patients_without_a_label_in_common_have_no_bras():
    rng = np.random.default_rng(3)
    labels = rng.integers(2, size=80)
    found = integration_scores(rng.normal(size=(80, 3)), labels, labels, seed=0)
    assert "bras" not in found and "cilisi" not in found and "ilisi" in found
    alone = integration_scores(rng.normal(size=(80, 3)), labels, np.zeros(80, int), seed=0)
    assert set(alone) == {"clisi", "silhouette", "isolated_labels", "graph_connectivity"}


def scope(n: int = 260, dropped: int = 60) -> tuple[Scope, np.ndarray]:
    """A cohort some of whose spots have no label, and its patients."""
    rng = np.random.default_rng(4)
    codes = rng.integers(3, size=n)
    values = rng.normal(size=(n, 5)) + 6 * np.eye(5)[codes]
    labels = np.array(list("abc"), dtype=object)[codes]
    values[:dropped] += 1000  # where no label is, nothing is to be seen of them
    labels[:dropped] = None
    patients = np.array(["P", "Q"])[rng.integers(2, size=n)]
    return Scope("cohort", None, values, {"label": labels}, None, patients), patients


def test_only_labelled_spots_are_scored():
    whole, patients = scope()
    table = cohort_integration(whole, patients, SETTINGS)
    assert set(table["spots"]) == {200} and set(table["clustering"]) == {"integration"}
    by_metric = table.groupby("metric")["value"]
    assert by_metric.mean()["ari"] > 0.95
    # Metrics of k-means have a value a seed, all others one.
    seeds = by_metric.size()
    assert set(seeds[["ari", "nmi", "bio_conservation", "total"]]) == {SETTINGS.seeds}
    others = seeds.drop(["ari", "nmi", "bio_conservation", "total"])
    assert set(others) == {1} and {"bras", "ilisi", "batch_correction"} < set(others.index)
    labelled = patients[60:], whole.values[60:, : SETTINGS.components]
    widths = silhouette_samples(labelled[1], whole.groups["label"][60:].astype(str))
    assert by_metric.first()["silhouette"] == pytest.approx((widths.mean() + 1) / 2)
    pd.testing.assert_frame_equal(table, cohort_integration(whole, patients, SETTINGS))


def test_many_spots_are_drawn_from():
    whole, patients = scope(n=560)
    table = cohort_integration(whole, patients, SETTINGS)
    assert set(table["spots"]) == {SETTINGS.integration_spots}


def test_a_cohort_without_labels_has_no_integration():
    whole, patients = scope()
    whole.groups.clear()
    assert not len(cohort_integration(whole, patients, SETTINGS))
