"""Integration of patients in a cohort's geometry: scIB's metrics in numpy.

The batch is the patient, whose sections share a tissue and an experiment. Labels are the factor
`label`. Definitions are those of scib-metrics 0.5.10 (https://scib-metrics.readthedocs.io), and a
test compares the values. The summary is scIB's (Luecken et al. 2022,
doi:10.1038/s41592-021-01336-8).

- `bras`: batch removal adapted silhouette (Rautenstrauch and Ohler 2025,
  doi:10.1038/s41587-025-02743-4);
- `ilisi`, `clisi`: local inverse Simpson's index of patients and of labels (Korsunsky et al. 2019,
  doi:10.1038/s41592-019-0619-0);
- `cilisi`: iLISI within each label (Andreatta et al. 2023, doi:10.1101/2023.07.07.548105), on as
  many neighbours as iLISI; not part of the summary, as in scib-metrics.

All metrics except the adjusted Rand index range from 0 to 1, and higher is better. kBET and the
comparison of principal component regressions, which scib-metrics includes by default, are not
computed. The cost of nearest neighbours and of the silhouette grows with the square of the number
of spots. Above `settings.integration_spots`, all metrics therefore use a random sample of that
size.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import silhouette_samples
from sklearn.metrics.pairwise import euclidean_distances

from sagefm.clustering.graph import kmeans
from sagefm.clustering.metrics import external_scores
from sagefm.clustering.scopes import Scope, Settings

BIO_CONSERVATION = ("isolated_labels", "nmi", "ari", "silhouette", "clisi")

BATCH_CORRECTION = ("bras", "ilisi", "graph_connectivity")
"""Metrics whose means form the two halves of the summary, grouped as in scib-metrics."""

BIO_WEIGHT = 0.6
"""Weight of bio conservation in the total; batch correction has the rest."""

LISI_NEIGHBOURS, GRAPH_NEIGHBOURS = 90, 15
"""Numbers of nearest spots, including the spot itself, as in scib-metrics' `Benchmarker`."""

FEWEST = 6
"""Minimum number of spots in a neighbourhood; below it, a third (its perplexity) would be 1."""

SPOTS_AT_ONCE = 512

TIE = 1e-9
"""Squared distances within this share of their mean are ties, which are broken at random."""


def cohort_integration(scope: Scope, patients: np.ndarray, settings: Settings) -> pd.DataFrame:
    """Compute integration metrics of a pooled cohort's labelled spots: one row per metric and seed.

    Uses its first `settings.components` principal components. Metrics that depend on k-means have a
    row per seed, all others one row.
    """
    labels = scope.groups.get("label", np.full(len(scope.values), None))
    known = np.flatnonzero(pd.notna(labels))
    if len(known) < FEWEST:
        return pd.DataFrame()
    # In random order, so that ties in distance do not favour the first section.
    drawn = np.random.default_rng(0).permutation(known)[: settings.integration_spots]
    values = scope.values[drawn, : settings.components]
    codes, batches = (np.unique(own[drawn], return_inverse=True)[1] for own in (labels, patients))
    found = integration_scores(values, codes, batches, seed=0)
    rows = [(0, metric, value) for metric, value in found.items()]
    k = codes.max() + 1
    for seed in range(settings.seeds):
        clusters = kmeans(values, k, settings.restarts, seed)
        agreement = dict(external_scores(codes, clusters))
        own = {name: agreement[name] for name in ("ari", "nmi")}
        own |= integration_summary(found | own)
        rows += [(seed, *one) for one in own.items() if seed == 0 or one[0] != "batch_correction"]
    return pd.DataFrame(rows, columns=["seed", "metric", "value"]).assign(
        scope="cohort",
        centred=scope.centred,
        clustering="integration",
        factor="label",
        spots=len(drawn),
    )


def integration_scores(
    values: np.ndarray, labels: np.ndarray, batches: np.ndarray, seed: int
) -> dict[str, float]:
    """Compute all metrics that need no clustering, by name.

    Parameters
    ----------
    values
        float (spots, features).
    labels, batches
        int (spots,), from 0: label and patient of each spot; at least two labels.
    seed
        Seed for the order of equally distant spots.

    Returns
    -------
    dict
        clisi, silhouette, isolated_labels, graph_connectivity, ilisi, bras, cilisi. The last three
        need at least two patients; BRAS and CiLISI also need a label shared by two patients.
        Otherwise they are left out.
    """
    distances, near = lisi_neighbours(values, LISI_NEIGHBOURS, seed)
    weights = lisi_weights(distances[:, 1:], perplexity=near.shape[1] // 3)
    number = labels.max() + 1
    widths = (silhouette_samples(values, labels) + 1) / 2
    found = {
        "clisi": (number - np.median(lisi(weights, labels[near[:, 1:]]))) / (number - 1),
        "silhouette": widths.mean(),
        "isolated_labels": isolated_labels(widths, labels, batches),
        "graph_connectivity": graph_connectivity(near[:, :GRAPH_NEIGHBOURS], labels),
    }
    number = batches.max() + 1
    if number >= 2:
        found["ilisi"] = (np.median(lisi(weights, batches[near[:, 1:]])) - 1) / (number - 1)
        found["bras"] = bras(values, labels, batches)
        found["cilisi"] = cilisi(values, labels, batches, seed)
    return {name: float(value) for name, value in found.items() if not np.isnan(value)}


def integration_summary(scores: Mapping[str, float]) -> dict[str, float]:
    """Return bio_conservation, batch_correction and their weighted mean, total.

    As in scib-metrics' `Benchmarker.get_results(min_max_scale=False)`, these are plain means of
    metrics on one scale. A method's summary therefore does not depend on the other methods. A half
    that lacks a metric is left out, and so is the total.
    """
    found = {}
    for name, metrics in (
        ("bio_conservation", BIO_CONSERVATION),
        ("batch_correction", BATCH_CORRECTION),
    ):
        if set(metrics) <= scores.keys():
            found[name] = float(np.mean([scores[metric] for metric in metrics]))
    if len(found) == 2:
        bio, batch = found["bio_conservation"], found["batch_correction"]
        found["total"] = BIO_WEIGHT * bio + (1 - BIO_WEIGHT) * batch
    return found


def lisi_neighbours(values: np.ndarray, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return distances and indices (spots, k) of the nearest spots, the spot itself first.

    Ties in distance are broken at random for each spot. In a fixed order, all spots at one place
    would have the same few neighbours. `k` is limited to the number of spots.
    """
    n, k = len(values), min(k, len(values))
    rng = np.random.default_rng(seed)
    scale = 2 * np.square(values - values.mean(axis=0)).sum() / n
    distances, near = np.empty((n, k)), np.empty((n, k), dtype=np.int64)
    for start in range(0, n, SPOTS_AT_ONCE):
        rows = np.arange(start, min(start + SPOTS_AT_ONCE, n))
        squares = euclidean_distances(values[rows], values, squared=True)
        squares[squares < TIE * scale] = 0
        order = squares + TIE * scale * rng.random(squares.shape)
        order[np.arange(len(rows)), rows] = -1
        chosen = np.argpartition(order, k - 1, axis=1)[:, :k]
        chosen = np.take_along_axis(
            chosen, np.take_along_axis(order, chosen, axis=1).argsort(axis=1), axis=1
        )
        near[rows] = chosen
        distances[rows] = np.sqrt(np.take_along_axis(squares, chosen, axis=1))
    return distances, near


def lisi_weights(distances: np.ndarray, perplexity: float) -> np.ndarray:
    """Return weights (spots, others) that fall exponentially with distance and sum to 1 per spot.

    Each spot's rate gives its weights the requested perplexity, the exponential of their entropy
    (to 1e-5 of its logarithm, in 50 steps, as in scib-metrics).

    Parameters
    ----------
    distances
        float (spots, others), without the spot itself.
    """
    beyond = distances - distances.min(axis=1, keepdims=True)  # no effect on weights
    rate, low, high = np.ones((3, len(beyond), 1)) * np.array([1, 0, np.inf])[:, None, None]
    for _ in range(50):
        weights = np.exp(-beyond * rate)
        total = weights.sum(axis=1, keepdims=True)
        entropy = np.log(total) + rate * (beyond * weights).sum(axis=1, keepdims=True) / total
        excess = entropy - np.log(perplexity)
        if (np.abs(excess) < 1e-5).all():
            break
        low, high = np.where(excess > 0, rate, low), np.where(excess > 0, high, rate)
        rate = np.where(np.isinf(high), 2 * rate, (low + high) / 2)
    return weights / total


def lisi(weights: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the effective number of groups around each spot: float (spots,).

    Parameters
    ----------
    weights
        Result of `lisi_weights`.
    groups
        int (spots, others), from 0: group of each other spot.
    """
    n, k = len(groups), groups.max() + 1
    cells = (np.arange(n)[:, None] * k + groups).ravel()
    shares = np.bincount(cells, weights.ravel(), n * k).reshape(n, k)
    return 1 / np.square(shares).sum(axis=1)


def cilisi(values: np.ndarray, labels: np.ndarray, batches: np.ndarray, seed: int) -> float:
    """Return the mean over spots of iLISI within their own label: 1 if its patients are mixed.

    Labels of one patient, or with fewer than `FEWEST` spots, are left out; NaN if all are.
    """
    found = []
    for label in np.unique(labels):
        own = labels == label
        codes = np.unique(batches[own], return_inverse=True)[1]
        if codes.max() and own.sum() >= FEWEST:
            distances, near = lisi_neighbours(values[own], LISI_NEIGHBOURS, seed)
            weights = lisi_weights(distances[:, 1:], perplexity=near.shape[1] // 3)
            found.append((lisi(weights, codes[near[:, 1:]]) - 1) / codes.max())
    return float(np.concatenate(found).mean()) if found else np.nan


def graph_connectivity(near: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean over labels of the share of spots in the largest component of their graph.

    Edges lead from each spot to its nearest ones, int (spots, k); components are strongly
    connected. Labels are int (spots,).
    """
    rows = np.repeat(np.arange(len(near)), near.shape[1])
    graph = csr_matrix((np.ones(near.size), (rows, near.ravel())), shape=(len(near),) * 2)
    shares = []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        parts = connected_components(graph[own][:, own], connection="strong")[1]
        shares.append(np.bincount(parts).max() / len(own))
    return float(np.mean(shares))


def isolated_labels(widths: np.ndarray, labels: np.ndarray, batches: np.ndarray) -> float:
    """Return the mean silhouette (0 to 1) of the labels present in the fewest patients."""
    present = [len(np.unique(batches[labels == label])) for label in np.unique(labels)]
    rare = np.unique(labels)[np.array(present) == min(present)]
    return float(np.mean([widths[labels == label].mean() for label in rare]))


def bras(values: np.ndarray, labels: np.ndarray, batches: np.ndarray) -> float:
    """Return 1 minus the absolute silhouette of patients within a label, averaged over labels.

    Distances are by cosine. A spot's distance to other patients is the mean over all their spots,
    not over the nearest patient's. Cosines are taken from the origin of `values`, which should be
    the cohort's mean. Sums of distances are computed from sums of unit vectors, in time linear in
    the number of spots. Labels of one patient, or with one spot per patient, are left out; NaN if
    all are.
    """
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    units = values / np.where(norms > 0, norms, 1)
    found = []
    for label in np.unique(labels):
        own = labels == label
        inside, codes = units[own], np.unique(batches[own], return_inverse=True)[1]
        n, sizes = len(codes), np.bincount(codes)
        if not 2 <= len(sizes) < n:
            continue
        sums = np.stack([inside[codes == code].sum(axis=0) for code in range(len(sizes))])
        apart = sizes - inside @ sums.T  # summed distances of each spot to each patient's spots
        of_own = apart[np.arange(n), codes]
        to_itself = 1 - np.square(inside).sum(axis=1)
        others = (apart.sum(axis=1) - of_own) / (n - sizes[codes])
        of_own = (of_own - to_itself) / np.maximum(sizes[codes] - 1, 1)
        larger = np.maximum(of_own, others)
        scored = (larger > 1e-12) & (sizes[codes] > 1)
        widths = np.where(scored, (others - of_own) / np.where(scored, larger, 1), 0)
        found.append(1 - np.abs(widths).mean())
    return float(np.mean(found)) if found else np.nan
