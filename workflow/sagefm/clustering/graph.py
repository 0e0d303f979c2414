"""A representation's own geometry: principal axes, nearest neighbours, k-means and Leiden.

The neighbour graph is that of scanpy's `pp.neighbors` (UMAP's fuzzy union, McInnes et al. 2018),
written in numpy since importing scanpy and compiling UMAP costs a job more than its clusterings.
"""

import random

import igraph
import numpy as np
import scipy.sparse as sp
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from sagefm.stats.components import principal_components

NEGLIGIBLE = 1e-4
"""Share of a representation's variance that may be left out with its narrowest axes."""


def rotate(values: np.ndarray) -> np.ndarray:
    """Coordinates on the principal axes, the widest first: float64 (spots, axes).

    Distances between spots, and so all that is computed from them, stay what they are but for the
    last axes, which together hold at most `NEGLIGIBLE` of the variance. At least one axis is kept.
    """
    centred = values - values.mean(axis=0, dtype=np.float64)
    n, features = centred.shape
    if features <= n:
        squares, axes = np.linalg.eigh(centred.T @ centred)
        coordinates = centred @ axes[:, ::-1]
    else:
        squares, axes = np.linalg.eigh(centred @ centred.T)
        coordinates = (axes * np.sqrt(np.maximum(squares, 0)))[:, ::-1]
    rest = np.cumsum(np.maximum(squares, 0))[::-1]  # what an axis and those after it hold
    return coordinates[:, : max(1, int(np.sum(rest > NEGLIGIBLE * rest[0])))]


def reduce(values: sp.csr_matrix, components: int, seed: int) -> np.ndarray:
    """Leading principal components, float64 (spots, components), of a matrix that stays sparse."""
    return principal_components(values, components, seed)[0].astype(np.float64)


def nearest_spots(values: np.ndarray, neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances and indices (spots, neighbours) of the nearest spots, each spot itself first."""
    index = NearestNeighbors(n_neighbors=min(neighbours, len(values)), algorithm="brute")
    distances, near = index.fit(values).kneighbors(values)
    # Among spots that are equal, the spot itself need not have come first.
    own = near == np.arange(len(near))[:, None]
    order = np.argsort(~own, axis=1, kind="stable")
    distances = np.take_along_axis(distances, order, axis=1)
    near = np.take_along_axis(near, order, axis=1)
    distances[:, 0], near[:, 0] = 0, np.arange(len(near))
    return distances, near


def fuzzy_graph(values: np.ndarray, neighbours: int) -> sp.csr_matrix:
    """Weights of scanpy's neighbour graph: symmetric csr (spots, spots).

    A spot's weights fall exponentially beyond its nearest other spot, at the rate that makes their
    sum log2 of `neighbours`, which counts the spot itself.
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
    """k-means clusters, int (spots,), the most compact of several starts; at most one a spot."""
    means = KMeans(min(k, len(values)), n_init=restarts, random_state=seed)
    return means.fit_predict(values)


def leiden_graph(weights: sp.csr_matrix) -> igraph.Graph:
    """The graph igraph clusters, from symmetric weights."""
    upper = sp.triu(weights, k=1).tocoo()
    graph = igraph.Graph(
        n=weights.shape[0], edges=np.stack([upper.row, upper.col], axis=1).tolist()
    )
    graph.es["weight"] = upper.data
    return graph


def leiden(graph: igraph.Graph, resolution: float, seed: int) -> np.ndarray:
    """Leiden clusters of a graph, modularity at a resolution, as scanpy's igraph flavour has them.

    Returns
    -------
    int (spots,), clusters numbered from 0.
    """
    igraph.set_random_number_generator(random.Random(seed))
    try:
        found = graph.community_leiden(
            "modularity", weights="weight", resolution=resolution, n_iterations=2
        )
    finally:
        igraph.set_random_number_generator(random)
    return np.asarray(found.membership)
