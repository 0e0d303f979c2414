"""Quality of a clustering: against known groups, in its own space, and on the tissue."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn import metrics
from sklearn.metrics.cluster import expected_mutual_information

Scores = Iterator[tuple[str, float]]


def external_scores(truth: np.ndarray, clusters: np.ndarray) -> Scores:
    """Yield the agreement of clusters with known groups: name and value of each score.

    The scores equal scikit-learn's, as a test checks, but come from one table of counts.
    scikit-learn's functions each check and count again, which takes ten times as long.

    Parameters
    ----------
    truth, clusters
        int (spots,), from 0: known group and cluster of each spot.
    """
    counts, n = _counts(truth, clusters), len(truth)
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    yield "ari", _adjusted_rand(counts)
    share = counts / n
    product = np.outer(rows, columns) / n**2
    shared = float((share * np.log(np.where(share > 0, share / product, 1))).sum())
    own, other = (-float((m / n * np.log(m / n)).sum()) for m in (rows, columns))
    expected = expected_mutual_information(sp.csr_matrix(counts), n)
    room = (own + other) / 2 - expected
    yield "ami", (shared - expected) / room if abs(room) > 1e-12 else 1.0
    yield "homogeneity", shared / own if own else 1.0
    yield "completeness", shared / other if other else 1.0
    # The V measure equals the normalised mutual information with the arithmetic mean.
    yield "nmi", 2 * shared / (own + other) if own + other else 1.0


def adjusted_rand(truth: np.ndarray, clusters: np.ndarray) -> float:
    """Return only the adjusted Rand index, for the arguments of `external_scores`."""
    return _adjusted_rand(_counts(truth, clusters))


def _counts(truth: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Count spots of each group (rows) in each cluster (columns): int64, without empty ones."""
    k = clusters.max() + 1
    counts = np.bincount(truth * k + clusters, minlength=(truth.max() + 1) * k).reshape(-1, k)
    return counts[counts.any(axis=1)][:, counts.any(axis=0)].astype(np.int64)


def _adjusted_rand(counts: np.ndarray) -> float:
    sizes = counts, counts.sum(axis=1), counts.sum(axis=0), counts.sum()
    pairs, of_rows, of_columns, of_all = (float((m * (m - 1)).sum()) for m in sizes)
    chance = of_rows * of_columns / of_all
    room = (of_rows + of_columns) / 2 - chance
    return (pairs - chance) / room if room else 1.0


class Geometry:
    """Coordinates of spots, with distances shared by the internal scores of all clusterings.

    The scores equal scikit-learn's, as a test checks, but distances are computed only once.

    Parameters
    ----------
    values
        (spots, features).
    spots, seed
        Maximum number of spots for the silhouette, drawn at random, because its cost grows with
        their square.
    """

    def __init__(self, values: np.ndarray, spots: int, seed: int) -> None:
        self.values = values
        self.drawn = subsample(len(values), spots, seed)
        self.distances = metrics.pairwise.euclidean_distances(values[self.drawn])
        self.total = float(np.square(values - values.mean(axis=0)).sum())

    def scores(self, clusters: np.ndarray) -> Scores:
        """Yield compactness and separation of clusters (spots,); nothing for a single cluster."""
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
        sums = (member.T @ self.distances).T  # distances are symmetric; this avoids a copy
        inner = sums[rows, own] / np.maximum(sizes[own] - 1, 1)
        means = sums / sizes
        means[rows, own] = np.inf
        outer = means.min(axis=1)
        larger = np.maximum(inner, outer)
        # A cluster of one spot scores 0, as in Rousseeuw (1987).
        scored = (larger > 0) & (sizes[own] > 1)
        return np.where(scored, (outer - inner) / np.where(larger > 0, larger, 1), 0)


def _membership(clusters: np.ndarray) -> sp.csr_matrix:
    """Return a 0/1 matrix (spots, clusters); its `indices` are the clusters numbered from 0."""
    codes = np.unique(clusters, return_inverse=True)[1]
    return sp.csr_matrix((np.ones(len(codes)), (np.arange(len(codes)), codes)))


@dataclass(frozen=True)
class Ties:
    """Pairs of array neighbours, each listed once, with the sections of pairs and spots.

    `first` and `second` are the spots of each pair. `of_tie` and `of_spot` number the section of
    each pair and of each spot. `counted` marks the sections that have pairs.
    """

    first: np.ndarray
    second: np.ndarray
    of_tie: np.ndarray
    of_spot: np.ndarray
    counted: np.ndarray

    @classmethod
    def of(cls, weights: sp.csr_matrix, sections: np.ndarray) -> "Ties":
        """Build from symmetric 0/1 weights (spots, spots), without pairs across sections."""
        upper = sp.triu(weights, k=1).tocoo()
        codes = np.unique(sections, return_inverse=True)[1]
        of_tie = codes[upper.row]
        counted = np.bincount(of_tie, minlength=codes.max() + 1) > 0
        return cls(upper.row, upper.col, of_tie, codes, counted)


def neighbour_scores(ties: Ties, clusters: np.ndarray) -> Scores:
    """Yield the share of array neighbours in the same cluster, and its excess over chance.

    Chance is the expectation over all permutations of a section's clusters over its spots. Both are
    means over sections.

    Parameters
    ----------
    ties
        Pairs of neighbours on the spots' array.
    clusters
        int (spots,), from 0.
    """
    if not ties.counted.any():
        return
    same = clusters[ties.first] == clusters[ties.second]
    number = np.bincount(ties.of_tie, minlength=len(ties.counted))[ties.counted]
    shares = np.bincount(ties.of_tie, same, len(ties.counted))[ties.counted] / number
    k = clusters.max() + 1
    sizes = np.bincount(ties.of_spot * k + clusters, minlength=len(ties.counted) * k)
    chances = [chance_share(own) for own in sizes.reshape(-1, k)[ties.counted]]
    yield "neighbour_share", float(shares.mean())
    yield "neighbour_excess", float(shares.mean() - np.mean(chances))


def chance_share(sizes: np.ndarray) -> float:
    """Return the probability that two random spots are in the same group, given group sizes."""
    n, sizes = int(sizes.sum()), sizes.astype(float)
    return float(np.sum(sizes * (sizes - 1)) / (n * (n - 1)))


def subsample(n: int, most: int, seed: int) -> np.ndarray:
    """Draw at most `most` of n spots without replacement; return sorted indices."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
