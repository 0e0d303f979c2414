"""Clustering of a whole representation: which scopes are scored, and which are skipped and why."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.metrics import silhouette_score

from sagefm.clustering.cluster import cluster_representation
from sagefm.clustering.scopes import scored_groups
from sagefm.clustering.umap import umap_layout, umap_table
from sagefm.common.errors import InputError
from sagefm.representations.files import Representation
from support.clustered import SETTINGS

SIZES = {"one": 40, "two": 52, "bare": 32, "tiny": 4}
PATIENTS = {"one": "P", "two": "P", "bare": "Q", "tiny": "R"}
LABELS = ["a", "b", "c", "undetermined"]


def representation(seed: int = 0, sparse: bool = False, sizes=None) -> Representation:
    """Three labels that lie apart, and a shift that is each sample's own; `bare` has no label."""
    rng = np.random.default_rng(seed)
    sizes = SIZES if sizes is None else sizes
    samples = np.repeat(list(sizes), list(sizes.values()))
    codes = np.arange(len(samples)) % 4  # as many of each in every sample
    centres = 8 * np.eye(4, 60)
    shift = {name: 4 * rng.random(60) for name in sizes}
    values = centres[codes] + rng.random((len(codes), 60)) + [shift[name] for name in samples]
    values = values.astype(np.float32)
    labels = np.array(LABELS, dtype=object)[codes]
    labels[samples == "bare"] = None
    spots = [f"s{i}" for i in range(len(samples))]
    obs = pd.DataFrame(
        {"spot": spots, "sample": samples, "patient": samples, "organ": "Breast",
         "disease_state": np.where(samples == "one", "Cancer", "Healthy"), "label": labels},
        index=samples + ":" + np.array(spots),
    )  # fmt: skip
    obs = obs.astype(dict.fromkeys(["sample", "patient", "organ", "label"], "category"))
    values = sp.csr_matrix(values) if sparse else values
    return Representation("x", values, obs, rng.random((len(samples), 2)), False, True)


@pytest.fixture(scope="module")
def result():
    return cluster_representation(representation(), SETTINGS)


def mean(scores, **where):
    for column, value in where.items():
        scores = scores[scores[column] == value]
    assert len(scores)
    return scores["value"].mean()


def test_clear_labels_are_found_within_sections(result):
    own = {"scope": "section", "factor": "label", "metric": "ari"}
    assert mean(result.scores, clustering="leiden_best", **own) > 0.95
    scored = result.scores[(result.scores["metric"] == "ari") & result.scores["section"].notna()]
    assert set(scored["section"]) == {"one", "two"}
    # As many clusters as labels: the dropped one does not count.
    kmeans = scored[scored["clustering"] == "kmeans"]
    assert set(kmeans["clusters"]) == {3} and set(kmeans["seed"]) == {0, 1}
    labelled = (
        representation()
        .obs.query("label != 'undetermined'")
        .groupby("sample", observed=True)["label"]
    )
    assert kmeans.groupby("section")["spots"].first()["one"] == labelled.count()["one"]


def test_centring_takes_batch_away_and_leaves_biology(result):
    purity = {"clustering": "none", "metric": "purity"}
    as_is, centred = (
        {factor: mean(result.scores, factor=factor, centred=flag, **purity)
         for factor in ("label", "patient")}
        for flag in (False, True)
    )  # fmt: skip
    assert as_is["patient"] > 0.5 > 0.2 > centred["patient"]
    assert centred["label"] > 0.9
    assert not result.scores.query("scope == 'section'")["centred"].any()


def test_what_is_skipped_is_said(result):
    skipped = result.skipped.fillna("-").set_index(["scope", "section", "factor"])["reason"]
    assert skipped["cohort", "-", "organ"] == "one value only (Breast)"
    assert skipped["cohort", "-", "sample"] == "groups the spots as patient does"
    assert skipped["section", "bare", "label"] == "no spot has a value"
    assert skipped["section", "tiny", "-"] == "4 spots only"
    # One of the two labels to drop is there.
    assert skipped["cohort", "-", "label"] == "`elsewhere`, to be dropped, does not occur"
    bare = result.scores[result.scores["section"] == "bare"]
    in_section = bare[bare["scope"] == "section"]
    assert set(in_section["clustering"]) == {"kmeans", "leiden"}
    assert set(in_section.query("clustering == 'kmeans'")["clusters"]) == {4}


def test_the_table_of_clusters_has_every_spot(result):
    table = result.clusters
    assert len(table) == sum(SIZES.values())
    assert table["kmeans_cohort"].notna().all()
    lacking = table[table["leiden_best_section"].isna()]
    assert set(lacking["sample"]) == {"bare", "tiny"}


def test_a_sparse_representation_gives_what_the_dense_one_does(result):
    sparse = cluster_representation(representation(sparse=True), SETTINGS)
    keys = ["scope", "section", "centred", "clustering", "factor", "metric", "seed"]
    both = result.scores.merge(sparse.scores, on=keys, how="outer", suffixes=("", "_sparse"))
    inside = both[both["scope"] == "section"]
    np.testing.assert_allclose(inside["value"], inside["value_sparse"], rtol=1e-3, atol=1e-4)
    # Pooled it is taken by its components, all but a few of the 60 here.
    pooled = both[both["clustering"] == "none"]
    np.testing.assert_allclose(pooled["value"], pooled["value_sparse"], atol=0.05)


def test_scores_of_a_section_name_its_patient():
    two = representation()
    two = replace(two, obs=two.obs.assign(patient=two.obs["sample"].map(PATIENTS).astype(str)))
    scores = cluster_representation(two, SETTINGS).scores
    of_section = scores.dropna(subset="section")
    assert (of_section["patient"] == of_section["section"].map(PATIENTS)).all()
    pooled = scores[scores["section"].isna()]
    assert len(pooled) and pooled["patient"].isna().all()


def test_the_same_again(result):
    again = cluster_representation(representation(), SETTINGS)
    pd.testing.assert_frame_equal(result.scores, again.scores)
    pd.testing.assert_frame_equal(result.clusters, again.clusters)


def test_a_cohort_of_one_section_has_no_pooled_scores():
    alone = cluster_representation(representation(sizes={"one": 40}), SETTINGS)
    assert set(alone.scores["scope"]) == {"section"}
    assert "the cohort is a single section" in set(alone.skipped["reason"])


def test_spots_that_are_all_alike_are_skipped():
    flat = representation(sizes={"one": 40, "two": 40})
    flat.values[:40] = 1
    found = cluster_representation(flat, SETTINGS)
    assert "all spots are alike" in set(found.skipped["reason"])
    assert set(found.scores.query("scope == 'section'")["section"]) == {"two"}


def test_rare_labels_and_missing_columns_are_not_scored():
    obs = pd.DataFrame({"label": ["a"] * 5 + ["b"] * 5 + ["c"] + [None]})
    skipped = []
    groups = scored_groups(obs, ["label", "organ"], SETTINGS, {}, skipped)
    assert list(groups["label"][-3:]) == ["b", None, None]
    assert [row["factor"] for row in skipped] == ["organ"]


def test_umap_shows_the_same_spots_of_all_and_refuses_others():
    two = [representation(), representation(sparse=True)]
    table = umap_table(two, components=3, neighbours=6, spots=60, seed=0)
    assert len(table) == 120 and table[["umap_1", "umap_2"]].notna().all(axis=None)
    first, second = table["spot"][:60], table["spot"][60:]
    assert list(first) == list(second)
    other = representation(sizes={"one": 40, "two": 52})
    with pytest.raises(InputError, match="not those of the cohort"):
        umap_table([two[0], other], 3, 6, 60, 0)


def test_umap_keeps_clouds_apart_and_repeats_itself():
    groups = np.arange(90) % 3
    values = np.random.default_rng(0).normal(size=(90, 5)) + 30 * groups[:, None]
    layout = umap_layout(values, 10, seed=1)
    assert silhouette_score(layout, groups) > 0.5
    np.testing.assert_array_equal(layout, umap_layout(values, 10, seed=1))


def test_umap_of_one_feature():
    from sagefm.clustering.umap import umap_layout

    values = np.random.default_rng(0).normal(size=(60, 1))
    layout = umap_layout(values, 10, seed=0)
    assert layout.shape == (60, 2)
    assert np.isfinite(layout).all()
