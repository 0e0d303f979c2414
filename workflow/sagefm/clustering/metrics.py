"""How good a clustering is: against known groups, in its own space, and on the tissue."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from sklearn import metrics

Scores = Iterator[tuple[str, float]]


def external_scores(truth: np.ndarray, clusters: np.ndarray) -> Scores:
    """Agreement of clusters with known groups, by scikit-learn: name and value of each score.

    Parameters
    ----------
    truth, clusters
        (spots,) group of each spot and its cluster.
    """
    yield "ari", metrics.adjusted_rand_score(truth, clusters)
    yield "ami", metrics.adjusted_mutual_info_score(truth, clusters)
    # The V measure is the normalised mutual information with the arithmetic mean.
    names = ("homogeneity", "completeness", "nmi")
    values = metrics.homogeneity_completeness_v_measure(truth, clusters)
    yield from zip(names, values, strict=True)


class Geometry:
    """Coordinates of spots, and what the internal scores of every clustering of them share.

    The scores are scikit-learn's, on distances that are computed once; a test holds them equal.

    Parameters
    ----------
    values
        (spots, features).
    spots, seed
        Most spots whose silhouette is computed, drawn at random: its cost grows with their square.
    """

    def __init__(self, values: np.ndarray, spots: int, seed: int) -> None:
        self.values = values
        self.drawn = subsample(len(values), spots, seed)
        self.distances = metrics.pairwise.euclidean_distances(values[self.drawn])
        self.total = float(np.square(values - values.mean(axis=0)).sum())

    def scores(self, clusters: np.ndarray) -> Scores:
        """How compact and apart clusters (spots,) are; nothing for a single cluster."""
        n, k = len(clusters), len(np.unique(clusters))
        if not 2 <= k < n:
            return
        if 2 <= len(np.unique(clusters[self.drawn])) < len(self.drawn):
            yield "silhouette", float(self._silhouettes(clusters[self.drawn]).mean())
        member = _membership(clusters)
        sizes = np.asarray(member.sum(axis=0)).ravel()
        centres = (member.T @ self.values) / sizes[:, None]
        spread = np.square(self.values - centres[member.indices]).sum(axis=1)
        within = float(spread.sum())
        if within > 0:
            between = self.total - within
            yield "calinski_harabasz", between * (n - k) / (within * (k - 1))
        apart = metrics.pairwise.euclidean_distances(centres)
        np.fill_diagonal(apart, np.inf)
        if (apart > 0).all():
            mean = (member.T @ np.sqrt(spread)) / sizes
            yield "davies_bouldin", float(((mean[:, None] + mean) / apart).max(axis=1).mean())

    def _silhouettes(self, clusters: np.ndarray) -> np.ndarray:
        member = _membership(clusters)
        sizes = np.asarray(member.sum(axis=0)).ravel()
        rows, own = np.arange(len(clusters)), member.indices
        sums = (member.T @ self.distances).T  # distances are symmetric, and not copied this way
        inner = sums[rows, own] / np.maximum(sizes[own] - 1, 1)
        means = sums / sizes
        means[rows, own] = np.inf
        outer = means.min(axis=1)
        larger = np.maximum(inner, outer)
        # A cluster of one spot has no inside: 0, as Rousseeuw (1987) has it.
        scored = (larger > 0) & (sizes[own] > 1)
        return np.where(scored, (outer - inner) / np.where(larger > 0, larger, 1), 0)


def _membership(clusters: np.ndarray) -> sp.csr_matrix:
    """0/1 (spots, clusters); `indices` are the clusters numbered from 0."""
    codes = np.unique(clusters, return_inverse=True)[1]
    return sp.csr_matrix((np.ones(len(codes)), (np.arange(len(codes)), codes)))


def neighbour_scores(weights: sp.csr_matrix, clusters: np.ndarray, sections: np.ndarray) -> Scores:
    """Share of array neighbours in the same cluster, and its excess over chance.

    Chance is the expectation under all permutations of a section's clusters over its spots. Both
    are means over sections.

    Parameters
    ----------
    weights
        Symmetric 0/1 (spots, spots), no tie between sections.
    clusters, sections
        (spots,) each.
    """
    ties = sp.coo_matrix(weights)
    same = clusters[ties.row] == clusters[ties.col]
    shares, chances = [], []
    for section in np.unique(sections):
        inside = sections == section
        own = inside[ties.row]
        if own.any():
            shares.append(same[own].mean())
            chances.append(chance_share(clusters[inside]))
    if shares:
        yield "neighbour_share", float(np.mean(shares))
        yield "neighbour_excess", float(np.mean(shares) - np.mean(chances))


def chance_share(groups: np.ndarray) -> float:
    """Probability that two different spots, drawn at random, are of one group."""
    sizes = np.unique(groups, return_counts=True)[1].astype(float)
    return float(np.sum(sizes * (sizes - 1)) / (len(groups) * (len(groups) - 1)))


def subsample(n: int, most: int, seed: int) -> np.ndarray:
    """Indices of at most `most` of n spots, drawn without replacement, in order."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
