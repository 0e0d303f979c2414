"""Ranking of positives by a score, with weighted rows of a table."""

from typing import Literal

import numpy as np


def ranking(
    values: np.ndarray, positive: np.ndarray, known: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compute AUROC and average precision with rows counted any number of times.

    Parameters
    ----------
    values, positive, known
        (rows, columns): score, whether an entry is positive, whether it counts at all.
    weights
        (draws, rows): number of times each row counts.

    Returns
    -------
    tuple
        float64 (draws,) each, equal to scikit-learn's `roc_auc_score` and `average_precision_score`
        on the repeated entries; NaN if positives or negatives are missing.
    """
    row, column = np.nonzero(positive)
    thresholds, place = np.unique(values[row, column], return_inverse=True)
    negative = known & ~positive
    # Per row: entries at or above each positive's score, and negatives below it (ties count half).
    above = _counts(values, known, thresholds, "right")
    hits = _counts(values, positive, thresholds, "right")
    negatives = negative.sum(axis=1, keepdims=True)
    beaten = negatives - (above - hits + _counts(values, negative, thresholds, "left")) / 2
    # Integers and halves of this size are exact in single precision.
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
    """Count chosen values of each row at or above (`right`) or above (`left`) each threshold.

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
