"""Geometry of a representation: principal axes, nearest neighbours, k-means and Leiden.

The neighbour graph is that of scanpy's `pp.neighbors` (UMAP's fuzzy union, McInnes et al. 2018). It
is written in numpy because importing scanpy and compiling UMAP takes longer than the clusterings.
"""

import random

import igraph
import numpy as np
import scipy.sparse as sp
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from sagefm.stats.components import principal_components

NEGLIGIBLE = 1e-4
"""Maximum share of a representation's variance that is dropped with its narrowest axes."""


def rotate(values: np.ndarray) -> np.ndarray:
    """Return coordinates on the principal axes, the widest first: float64 (spots, axes).

    Distances between spots, and all results based on them, are unchanged except for dropped axes.
    These are the last ones and hold at most `NEGLIGIBLE` of the variance. At least one axis is
    kept.
    """
    centred = values - values.mean(axis=0, dtype=np.float64)
    n, features = centred.shape
    if features <= n:
        squares, axes = np.linalg.eigh(centred.T @ centred)
        coordinates = centred @ axes[:, ::-1]
    else:
        squares, axes = np.linalg.eigh(centred @ centred.T)
        coordinates = (axes * np.sqrt(np.maximum(squares, 0)))[:, ::-1]
    rest = np.cumsum(np.maximum(squares, 0))[::-1]  # variance of an axis and all later ones
    return coordinates[:, : max(1, int(np.sum(rest > NEGLIGIBLE * rest[0])))]


def reduce(values: sp.csr_matrix, components: int, seed: int) -> np.ndarray:
    """Return leading principal components, float64 (spots, components), of a sparse matrix."""
    return principal_components(values, components, seed)[0].astype(np.float64)


def nearest_spots(values: np.ndarray, neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """Return distances and indices (spots, neighbours) of the nearest spots, itself first."""
    index = NearestNeighbors(n_neighbors=min(neighbours, len(values)), algorithm="brute")
    distances, near = index.fit(values).kneighbors(values)
    # Among identical spots, the spot itself may not be listed first.
    own = near == np.arange(len(near))[:, None]
    order = np.argsort(~own, axis=1, kind="stable")
    distances = np.take_along_axis(distances, order, axis=1)
    near = np.take_along_axis(near, order, axis=1)
    distances[:, 0], near[:, 0] = 0, np.arange(len(near))
    return distances, near


def fuzzy_graph(values: np.ndarray, neighbours: int) -> sp.csr_matrix:
    """Return the weights of scanpy's neighbour graph: symmetric CSR (spots, spots).

    A spot's weights fall exponentially beyond its nearest other spot. The rate is such that their
    sum is log2 of `neighbours`, which includes the spot itself.
    """
    distances, near = nearest_spots(values, neighbours)
    n, k = near.shape
    positive = np.where(distances > 0, distances, np.inf).min(axis=1)
    beyond = np.maximum(distances[:, 1:] - np.where(np.isfinite(positive), positive, 0)[:, None], 0)
    low, high, rate = np.zeros(n), np.full(n, np.inf), np.ones(n)
    for _ in range(64):
        above = np.exp(-beyond / rate[:, None]).sum(axis=1) > np.log2(k)
        low, high = np.where(above, low, rate), np.where(above, rate, high)
        rate = np.where(np.isinf(high), 2 * rate, (low + high) / 2)
    floor = np.where(np.isfinite(positive), distances.mean(axis=1), distances.mean())
    rate = np.maximum(rate, 1e-3 * floor)
    weights = np.where(beyond > 0, np.exp(-beyond / np.maximum(rate, 1e-30)[:, None]), 1.0)
    rows = np.repeat(np.arange(n), k - 1)
    one_way = sp.csr_matrix((weights.ravel(), (rows, near[:, 1:].ravel())), shape=(n, n))
    return sp.csr_matrix(one_way + one_way.T - one_way.multiply(one_way.T))


def kmeans(values: np.ndarray, k: int, restarts: int, seed: int) -> np.ndarray:
    """Return the best k-means clusters of several starts: int (spots,); at most one per spot."""
    means = KMeans(min(k, len(values)), n_init=restarts, random_state=seed)
    return means.fit_predict(values)


def leiden_graph(weights: sp.csr_matrix) -> igraph.Graph:
    """Build the igraph graph to cluster from symmetric weights."""
    upper = sp.triu(weights, k=1).tocoo()
    graph = igraph.Graph(
        n=weights.shape[0], edges=np.stack([upper.row, upper.col], axis=1).tolist()
    )
    graph.es["weight"] = upper.data
    return graph


def leiden(graph: igraph.Graph, resolution: float, seed: int) -> np.ndarray:
    """Return Leiden clusters by modularity at a resolution, as scanpy's igraph flavour does.

    Returns
    -------
    int (spots,), with clusters numbered from 0.
    """
    igraph.set_random_number_generator(random.Random(seed))
    try:
        found = graph.community_leiden(
            "modularity", weights="weight", resolution=resolution, n_iterations=2
        )
    finally:
        igraph.set_random_number_generator(random)
    return np.asarray(found.membership)
