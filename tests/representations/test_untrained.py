"""Untrained representations and controls, against loops over real and artificial data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.decomposition import PCA

from sagefm.common.errors import InputError
from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.common.io import write_table
from sagefm.representations import untrained
from sagefm.representations.methods import (
    depth,
    hops,
    labels,
    neighbour_mean,
    niche_channels,
    niche_pca,
    pca,
)
from sagefm.representations.methods import random as random_numbers
from sagefm.representations.registry import reads
from sagefm.representations.represent import represent_entry
from sagefm.representations.rings import nth_ring_means, ring, ring_mean
from sagefm.representations.untrained import Untrained, aligned, expression_of
from sagefm.sections.cohort import Cohort, cohort_obs
from sagefm.stats.variable_genes import variable_genes
from support import cohorts, helpers

SECTION = "SPA147"
"""A whole bundled section, 270 spots of an array of Spatial Transcriptomics."""


@pytest.fixture(scope="module")
def section(tmp_path_factory) -> Cohort:
    """A whole section, its 300 most abundant genes."""
    found = helpers.demo_section(SECTION)
    found.X = sp.csr_matrix(found.X, dtype=np.int32)
    genes = np.argsort(-np.asarray(found.X.sum(axis=0)).ravel(), kind="stable")[:300]
    path = tmp_path_factory.mktemp("section") / f"{SECTION}.h5ad"
    write_h5ad(found[:, np.sort(genes)].copy(), path)
    return Cohort((path,))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Cohort:
    return cohorts.write_cohort(tmp_path_factory.mktemp("cohort"))


def around(cohort: Cohort) -> list[list[int]]:
    """The spots next to each spot of a square array, by comparing every pair of spots."""
    obs = read_h5ad(cohort.samples[0]).obs
    places = list(zip(obs["array_row"].astype(int), obs["array_col"].astype(int), strict=True))
    return [
        [b for b, (x, y) in enumerate(places) if max(abs(x - row), abs(y - column)) == 1]
        for row, column in places
    ]


def log_cp10k(cohort: Cohort) -> np.ndarray:
    counts = np.concatenate([part.X.toarray() for part in cohort.sections()]).astype(float)
    return np.log1p(1e4 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def same_distances(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether two matrices are alike but for a rotation of their columns."""
    found, expected = (values - values.mean(axis=0) for values in (found, expected))
    scale = np.abs(expected @ expected.T).max()
    return np.allclose(found @ found.T, expected @ expected.T, atol=1e-4 * scale)


# Rings


def test_a_ring_is_that_of_the_array(section):
    found = ring(section.samples[0])
    for spot, others in enumerate(around(section)):
        assert sorted(found[spot].indices) == others


def hexagon(tmp_path, with_array: bool) -> Cohort:
    """19 spots of Visium's hexagonal array: the middle, a ring of 6, a ring of 12."""
    found = helpers.demo_section(SECTION)[:19, :50].copy()
    axial = [(q, r) for q in range(-2, 3) for r in range(-2, 3) if abs(q + r) <= 2]
    array = np.array([(r + 10, 2 * q + r + 20) for q, r in axial])
    found.obsm["spatial"] = 100.0 * np.stack([array[:, 1] / 2, array[:, 0] * np.sqrt(0.75)], axis=1)
    if with_array:
        found.obs["array_row"], found.obs["array_col"] = array.T
    else:
        found.obs = found.obs.drop(columns=["array_row", "array_col"])
    found.X = sp.csr_matrix(found.X, dtype=np.int32)
    write_h5ad(found, tmp_path / "hexagon.h5ad")
    return Cohort((tmp_path / "hexagon.h5ad",))


@pytest.mark.parametrize("with_array", [True, False])
def test_a_hexagonal_array_has_six_next_to_a_spot(tmp_path, with_array):
    cohort = hexagon(tmp_path, with_array)
    sizes = ring(cohort.samples[0]).sum(axis=1).A1
    assert sorted(sizes) == [3] * 6 + [4] * 6 + [6] * 7
    centre = int(np.flatnonzero(cohort_distance(cohort) == 0)[0])
    *means, third = nth_ring_means(cohort, 3)
    weights = [mean[centre] for mean in means]
    assert [row.nnz for row in weights] == [6, 12]
    assert not set(weights[0].indices) & set(weights[1].indices)
    assert third[centre].indices.tolist() == [centre]  # none is so far


def cohort_distance(cohort: Cohort) -> np.ndarray:
    spatial = read_h5ad(cohort.samples[0]).obsm["spatial"]
    return np.linalg.norm(spatial - spatial.mean(axis=0), axis=1).round(6)


def test_means_are_of_one_section_each(cohort):
    means = ring_mean(cohort)
    np.testing.assert_allclose(means.sum(axis=1).A1, 1, rtol=1e-6)
    samples = cohort_obs(cohort.samples)["sample"].to_numpy()
    rows, columns = means.nonzero()
    assert (samples[rows] == samples[columns]).all()


# Representations


def test_a_niche_is_the_mean_of_a_spot_and_its_ring(section):
    values = log_cp10k(section)
    niche = np.array([values[[i, *ring]].mean(axis=0) for i, ring in enumerate(around(section))])
    options = niche_pca.Options(components=6, n_top_genes=None)
    found = niche_pca.represent(section, options, seed=1)
    assert found.shape == (270, 6)
    assert same_distances(found, PCA(6, svd_solver="full").fit_transform(niche))


def test_genes_are_chosen_within_samples(cohort):
    expression = cohort.expression("log1p_cp10k")
    samples = cohort_obs(cohort.samples)["sample"].to_numpy()
    chosen = variable_genes(expression, samples, 30)
    found = expression_of(cohort, Untrained(n_top_genes=30))
    np.testing.assert_array_equal(found.toarray(), expression[:, chosen].toarray())
    every = expression_of(cohort, Untrained(n_top_genes=None, normalisation="log1p"))
    np.testing.assert_array_equal(every.toarray(), cohort.expression("log1p").toarray())
    alone = pca.represent(cohort, pca.Options(components=4, n_top_genes=30), 1)
    expected = PCA(4, svd_solver="full").fit_transform(found.toarray().astype(float))
    assert same_distances(alone, expected)


@pytest.mark.parametrize("how", ["z_score", "centre"])
def test_channels_are_the_absolute_and_the_relative_niche(cohort, how):
    samples = cohort_obs(cohort.samples)["sample"].to_numpy()
    niche = ring_mean(cohort).toarray().astype(float) @ log_cp10k(cohort)
    relative = niche.copy()
    for sample in set(samples):
        own = niche[samples == sample]
        spread = own.std(axis=0)
        scale = np.where(spread > 1e-6, spread, np.inf) if how == "z_score" else 1
        relative[samples == sample] = (own - own.mean(axis=0)) / scale
    options = niche_channels.Options(components=4, n_top_genes=None, within_section=how)
    found = niche_channels.represent(cohort, options, seed=1)
    assert found.shape == (120, 8)
    for part, expected in zip(np.split(found, 2, axis=1), (niche, relative), strict=True):
        assert same_distances(part, PCA(4, svd_solver="full").fit_transform(expected))
    means = [found[samples == sample, 4:].mean(axis=0) for sample in set(samples)]
    np.testing.assert_allclose(means, 0, atol=1e-3)


def test_a_gene_that_does_not_vary_in_a_section_is_0_there():
    values = np.array([[1.0, 5], [3, 5], [2, 0], [4, 1]], dtype=np.float32)
    found = niche_channels.relative(values, np.array(["a", "a", "b", "b"]), scaled=True)
    np.testing.assert_allclose(found, [[-1, 0], [1, 0], [-1, -1], [1, 1]])


def test_hops_are_averages_of_averages(section):
    own = pca.represent(section, pca.Options(components=3), seed=1)
    expected = [own.astype(float)]
    for _ in range(2):
        last = expected[-1]
        expected.append(
            np.array([last[[i, *ring]].mean(axis=0) for i, ring in enumerate(around(section))])
        )
    found = hops.represent(section, hops.Options(components=3, rings=2), seed=1)
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), rtol=1e-3, atol=1e-3)


# Harmony


PATIENTS = {"heart-2": "P", "SPA147": "Q", "heart-1": "Q"}


@pytest.mark.parametrize("batch", ["sample", "patient"])
def test_harmony_takes_batches_out_and_keeps_groups(cohort, batch):
    rows = tuple({"sample": s, "dataset": "d", "patient": p} for s, p in PATIENTS.items())
    own = replace(cohort, rows=rows)
    batches = own.described()[batch].astype(str).to_numpy()
    groups = np.tile([0, 1], 60)
    values = np.random.default_rng(0).normal(size=(120, 5)).astype(np.float32)
    values[:, 0] += 8 * groups
    values[:, 1] += 4 * (batches != batches[0])
    options = Untrained(harmony=batch)
    assert reads("pca", {"harmony": batch}) == (("patients",) if batch == "patient" else ())
    found = aligned(values, own, options, seed=1)
    assert found.shape == values.shape and found.dtype == np.float32
    np.testing.assert_array_equal(aligned(values, own, options, seed=1), found)

    def gap(table: np.ndarray, column: int, of: np.ndarray) -> float:
        means = pd.DataFrame(table).groupby(of)[column].mean()
        return means.max() - means.min()

    assert gap(values, 1, batches) > 3.5 and gap(found, 1, batches) < 1.5
    assert gap(found, 0, groups) > 6


def test_without_batches_nothing_is_aligned(section):
    values = np.random.default_rng(0).normal(size=(270, 4)).astype(np.float32)
    assert aligned(values, section, Untrained(), 1) is values
    assert aligned(values, section, Untrained(harmony="sample"), 1) is values  # one sample


# Controls


def test_depth_is_of_the_spot_and_of_its_rings(section):
    counts = next(section.sections()).X.toarray().sum(axis=1)
    found = depth.represent(section, depth.Options(rings=2), seed=1)
    obs = read_h5ad(section.samples[0]).obs
    places = obs[["array_row", "array_col"]].to_numpy(dtype=int)
    apart = np.abs(places[:, None] - places[None]).max(axis=2)
    # Rings are steps over spots that are there: of the first, distances on the array say all.
    first = np.array([counts[row == 1].mean() if (row == 1).any() else 0 for row in apart])
    np.testing.assert_allclose(found[:, 0], np.log1p(counts), rtol=1e-5)
    with_ring = first > 0
    np.testing.assert_allclose(found[with_ring, 1], np.log1p(first[with_ring]), rtol=1e-5)
    np.testing.assert_allclose(found[~with_ring, 1], np.log1p(counts[~with_ring]), rtol=1e-5)
    ties = [set(others) for others in around(section)]
    for spot in range(0, 270, 17):
        reached = set().union(*(ties[other] for other in ties[spot]), set())
        second = sorted(reached - ties[spot] - {spot})
        expected = counts[second].mean() if second else counts[spot]
        assert found[spot, 2] == pytest.approx(np.log1p(expected), rel=1e-5)


def test_random_numbers_are_standard_normal_and_of_the_sample(cohort):
    found = random_numbers.represent(cohort, random_numbers.Options(components=400), 1)
    assert abs(found.mean()) < 0.02 and abs(found.std() - 1) < 0.02
    other = random_numbers.represent(cohort, random_numbers.Options(components=400), 2)
    assert abs(np.corrcoef(found.ravel(), other.ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(found[:40].ravel(), found[40:80].ravel())[0, 1]) < 0.05


def test_labels_are_one_feature_each(cohort, tmp_path):
    spots = cohort_obs(cohort.samples)
    given = spots.iloc[[3, 50, 51, 110]].assign(label=["b", "a", "a", "c"])
    write_table(given[["sample", "spot", "label"]], tmp_path / "labels.tsv")
    own = replace(cohort, rows=tuple(cohorts.rows_of(cohort)), labels=tmp_path / "labels.tsv")
    found = labels.represent(own, labels.Options(), 1)
    assert found.sum() == 4 and found.shape == (120, 3)
    assert [tuple(map(int, place)) for place in np.argwhere(found)] == [
        (3, 1), (50, 0), (51, 0), (110, 2),
    ]  # fmt: skip
    assert reads("labels", {}) == ("labels",)


def test_a_cohort_without_labels_has_no_ceiling(cohort):
    with pytest.raises(InputError, match=r"methods\.labels: the cohort has no labels\. Fix"):
        represent_entry("labels", {}, cohort, 1)


# Cohorts that are not held at once


@pytest.mark.parametrize("method", [pca, neighbour_mean, niche_pca, hops])
def test_a_cohort_read_section_after_section_has_the_same_components(method, cohort, monkeypatch):
    options = method.Options(components=5, n_top_genes=60)
    expected = method.represent(cohort, options, 0)
    monkeypatch.setattr(untrained, "IN_MEMORY", 10)
    monkeypatch.setattr(Cohort, "expression", None)  # is not asked for
    found = method.represent(cohort, options, 0)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4 * expected[:, 0].std())


def test_what_is_read_in_parts_holds_little_of_a_large_cohort():
    few, many = (pca.held_bytes(pca.Options(), spots, 14_558) for spots in (50_000, 1_000_000))
    assert few == pytest.approx(50_000 * (14_558 * 7 + 50 * 24))
    assert many < few
    assert pca.held_bytes(pca.Options(n_top_genes=None), 1_000_000, 14_558) > 1e11
    aligned_too = pca.held_bytes(pca.Options(harmony="sample"), 1_000_000, 14_558)
    assert aligned_too == pytest.approx(many + 1_000_000 * 100 * 24)
