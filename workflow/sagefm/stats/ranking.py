"""How well a score ranks the positives of a table, with the table's rows counted by weights."""

from typing import Literal

import numpy as np


def ranking(
    values: np.ndarray, positive: np.ndarray, known: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """AUROC and average precision with rows counted several times over, or not at all.

    Parameters
    ----------
    values, positive, known
        (rows, columns): a score, whether an entry is a positive one, whether it counts at all.
    weights
        (draws, rows): how often each row counts.

    Returns
    -------
    tuple
        float64 (draws,) each, as scikit-learn's `roc_auc_score` and `average_precision_score` of
        the repeated entries; NaN where positives or negatives are missing.
    """
    row, column = np.nonzero(positive)
    thresholds, place = np.unique(values[row, column], return_inverse=True)
    negative = known & ~positive
    # Of each row, entries as high as each positive's score, and negatives below it (ties: half).
    above = _counts(values, known, thresholds, "right")
    hits = _counts(values, positive, thresholds, "right")
    negatives = negative.sum(axis=1, keepdims=True)
    beaten = negatives - (above - hits + _counts(values, negative, thresholds, "left")) / 2
    # Whole and half numbers this small are exact in single precision.
    counted = weights.astype(np.float32)
    above, hits, beaten = (
        (counted @ part.astype(np.float32))[:, place] for part in (above, hits, beaten)
    )
    drawn, possible = counted[:, row], weights @ positive.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        auroc = np.einsum("dp,dp->d", drawn, beaten, dtype=float)
        auroc /= possible * (weights @ negatives[:, 0])
        precision = np.where(drawn > 0, drawn * hits / above, 0)
        return auroc, precision.sum(axis=1, dtype=float) / possible


def _counts(
    values: np.ndarray, chosen: np.ndarray, thresholds: np.ndarray, side: Literal["left", "right"]
) -> np.ndarray:
    """Of each row, how many chosen values are at or above (`right`) or above (`left`) thresholds.

    Returns
    -------
    ndarray
        int64 (rows, thresholds).
    """
    row, column = np.nonzero(chosen)
    passed = np.searchsorted(thresholds, values[row, column], side=side)
    bins = len(thresholds) + 1
    found = np.bincount(row * bins + passed, minlength=len(values) * bins)
    return found.reshape(len(values), bins)[:, :0:-1].cumsum(axis=1)[:, ::-1]
