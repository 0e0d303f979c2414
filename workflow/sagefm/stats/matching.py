"""Matching of components between two fits, whose order and direction are arbitrary."""

import numpy as np


def match_columns(reference: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Match each column to a partner so that the sum of absolute correlations is maximal.

    Each column is used once (Hungarian algorithm).

    Parameters
    ----------
    reference, other
        (features, columns) with the same features; `other` has at least as many columns.

    Returns
    -------
    partner : int (columns of the reference,), indices of columns of `other`
    correlation : float64 (columns of the reference,), signed Pearson's r; 0 for constant columns
    """
    from scipy.optimize import linear_sum_assignment

    first, second = _standardised(reference), _standardised(other)
    correlation = first.T @ second
    rows, partner = linear_sum_assignment(-np.abs(correlation))
    return partner, correlation[rows, partner]


def _standardised(values: np.ndarray) -> np.ndarray:
    """Scale columns to mean 0 and length 1; constant ones become 0."""
    centred = np.asarray(values, dtype=np.float64)
    centred = centred - centred.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    return centred / np.where(length > 0, length, 1)
