"""Scores of clusters against scikit-learn, chance by permutation, and geometry by brute force."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import metrics
from umap import umap_

from sagefm.clustering.graph import fuzzy_graph, leiden, leiden_graph, nearest_spots, reduce, rotate
from sagefm.clustering.metrics import (
    Geometry,
    Ties,
    adjusted_rand,
    chance_share,
    external_scores,
    neighbour_scores,
)
from sagefm.graphs.neighbourhoods import neighbour_weights


def blobs(n: int = 90, features: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three overlapping clouds, and which spot is of which."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(3, size=n)
    return rng.normal(size=(n, features)) + 1.5 * groups[:, None], groups


def test_external_scores_are_scikit_learns():
    rng = np.random.default_rng(1)
    truth, found = rng.integers(4, size=60), rng.integers(3, size=60)
    found[:30] = truth[:30] % 3
    scores = dict(external_scores(truth, found))
    assert scores["ari"] == pytest.approx(metrics.adjusted_rand_score(truth, found))
    assert scores["ari"] == adjusted_rand(truth, found)
    assert scores["ami"] == pytest.approx(metrics.adjusted_mutual_info_score(truth, found))
    assert scores["nmi"] == pytest.approx(metrics.normalized_mutual_info_score(truth, found))
    assert scores["homogeneity"] == pytest.approx(metrics.homogeneity_score(truth, found))
    assert scores["completeness"] == pytest.approx(metrics.completeness_score(truth, found))


def test_internal_scores_are_scikit_learns():
    values, groups = blobs()
    groups[0] = 7  # a cluster of one spot
    scores = dict(Geometry(values, 1000, 0).scores(groups))
    assert scores["silhouette"] == pytest.approx(metrics.silhouette_score(values, groups))
    assert scores["calinski_harabasz"] == pytest.approx(
        metrics.calinski_harabasz_score(values, groups)
    )
    assert scores["davies_bouldin"] == pytest.approx(metrics.davies_bouldin_score(values, groups))


def test_one_cluster_has_no_internal_score():
    values, _ = blobs()
    geometry = Geometry(values, 1000, 0)
    assert not list(geometry.scores(np.zeros(len(values), int)))
    assert not list(geometry.scores(np.arange(len(values))))


def test_the_silhouette_of_drawn_spots_is_near_that_of_all():
    values, groups = blobs(600)
    drawn = dict(Geometry(values, 300, 0).scores(groups))["silhouette"]
    assert drawn == pytest.approx(metrics.silhouette_score(values, groups), abs=0.05)


def test_chance_is_what_permutations_come_to():
    rng = np.random.default_rng(2)
    rows, columns = np.divmod(np.arange(64), 8)
    weights = neighbour_weights(np.stack([columns, rows], axis=1).astype(float))
    clusters = rng.integers(3, size=64)
    ties = Ties.of(weights, np.zeros(64))
    shares = [
        dict(neighbour_scores(ties, rng.permutation(clusters)))["neighbour_share"]
        for _ in range(400)
    ]
    assert np.mean(shares) == pytest.approx(chance_share(np.bincount(clusters)), abs=0.005)
    halves = (columns >= 4).astype(int)
    scores = dict(neighbour_scores(ties, halves))
    chance = chance_share(np.array([32, 32]))
    assert scores["neighbour_excess"] == scores["neighbour_share"] - chance
    assert scores["neighbour_excess"] > 0.3


def test_clusters_that_are_the_sections_are_not_coherent_for_that():
    weights = sp.block_diag([neighbour_weights(np.random.default_rng(i).random((30, 2)))
                             for i in range(2)], format="csr")  # fmt: skip
    sections = np.repeat([0, 1], 30)
    ties = Ties.of(weights, sections)
    assert dict(neighbour_scores(ties, sections))["neighbour_excess"] == 0


@pytest.mark.parametrize("shape", [(80, 12), (30, 200)])
def test_rotation_keeps_distances(shape):
    values = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    expected = metrics.pairwise.euclidean_distances(values.astype(float))
    turned = rotate(values)
    found = metrics.pairwise.euclidean_distances(turned)
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-3)
    assert (np.diff(turned.var(axis=0)) <= 1e-9).all()


def test_rotation_drops_only_what_is_negligible():
    values = np.random.default_rng(4).normal(size=(50, 3)) @ np.eye(3, 40)
    values[:, 10] = 1e-4 * values[:, 0]
    assert rotate(values).shape == (50, 3)
    assert rotate(np.ones((5, 4))).shape == (5, 1)
    assert not rotate(np.ones((5, 4))).any()


def test_reduced_sparse_is_the_principal_components():
    dense = np.random.default_rng(5).poisson(0.5, (60, 30)).astype(np.float32)
    reduced, whole = reduce(sp.csr_matrix(dense), 5, 0), rotate(dense)[:, :5]
    signs = np.sign((reduced * whole).sum(axis=0))
    np.testing.assert_allclose(reduced * signs, whole, atol=1e-4)


def test_the_graph_is_umaps_and_so_scanpys():
    """umap-learn's own functions, which scanpy calls; as Python, since compiling them is slow."""
    values = np.random.default_rng(6).normal(size=(120, 8)).astype(np.float32)
    values[1] = values[0]  # two spots at one place
    distances, near = nearest_spots(values, 15)
    distances = distances.astype(np.float32)
    sigmas, rhos = umap_.smooth_knn_dist.py_func(distances, 15.0)
    rows, columns, weights, _ = umap_.compute_membership_strengths.py_func(
        near, distances, sigmas, rhos
    )
    one_way = sp.coo_matrix((weights, (rows, columns)), shape=(120, 120)).toarray()
    expected = one_way + one_way.T - one_way * one_way.T
    np.testing.assert_allclose(fuzzy_graph(values, 15).toarray(), expected, atol=2e-4)


def test_each_spot_is_its_own_nearest():
    distances, near = nearest_spots(np.zeros((6, 2)), 4)
    assert (near[:, 0] == np.arange(6)).all() and not distances.any()
    assert all(len(set(row)) == 4 for row in near)


def test_leiden_finds_clouds_apart_and_repeats_itself():
    values, groups = blobs(120)
    graph = leiden_graph(fuzzy_graph(values + 20 * groups[:, None], 15))
    found = leiden(graph, 0.1, 0)
    assert metrics.adjusted_rand_score(groups, found) == 1
    np.testing.assert_array_equal(leiden(graph, 1.0, 3), leiden(graph, 1.0, 3))
    assert leiden(graph, 3.0, 0).max() > found.max()
