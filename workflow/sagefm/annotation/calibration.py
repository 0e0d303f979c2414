"""Reliability of class probabilities: temperature, calibration, calls and their accuracy.

A classifier's probabilities are calibrated by one number, a temperature that divides their
logarithms. They are judged by the expected calibration error (Guo et al. 2017, arXiv:1706.04599).
Everything is computed on held-out predictions. The temperature used for a patient's predictions was
fitted on those of the other patients.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

BINS = 10
"""Number of equal-width intervals of confidence, whose accuracy is compared with it."""

THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Confidences for which the share of called spots and their accuracy are reported."""

SMALLEST = 1e-300
"""Minimum probability before taking the logarithm."""

HOTTEST = 20.0
"""Highest temperature tried; its inverse is the lowest."""


def heated(probabilities: np.ndarray, temperature: float | np.ndarray) -> np.ndarray:
    """Apply a temperature, or one per spot (spots, 1), to probabilities (spots, classes).

    Probability 0 marks a class that the classifier has not seen and does not change.
    """
    return softmax(_logarithms(probabilities) / temperature, axis=1)


def fit_temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Fit the temperature that minimises the log loss.

    Parameters
    ----------
    probabilities
        float64 (spots, classes) of held-out spots.
    truth
        int (spots,): class of each spot. Spots of a class that the classifier has not seen are left
        out, because no temperature changes their probability of 0.

    Returns
    -------
    float
        Between 1 / `HOTTEST` and `HOTTEST`; 1 without spots.
    """
    rows = np.flatnonzero(probabilities[np.arange(len(truth)), truth] > 0)
    if not len(rows):
        return 1.0
    logs, own = _logarithms(probabilities[rows]), truth[rows]

    def loss(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        return float(np.mean(logsumexp(scaled, axis=1) - scaled[np.arange(len(own)), own]))

    limit = np.log(HOTTEST)
    return float(np.exp(minimize_scalar(loss, bounds=(-limit, limit), method="bounded").x))


def held_out_temperatures(
    probabilities: np.ndarray, truth: np.ndarray, groups: np.ndarray
) -> np.ndarray:
    """Fit, for each spot, a temperature on the spots of all other groups: float64 (spots,).

    Parameters
    ----------
    probabilities, truth
        As in `fit_temperature`.
    groups
        (spots,): groups held out together, such as patients.
    """
    found = np.ones(len(truth))
    for group in np.unique(groups):
        own = groups == group
        found[own] = fit_temperature(probabilities[~own], truth[~own])
    return found


def reliability_table(confidence: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """Compute accuracy by confidence.

    Parameters
    ----------
    confidence
        float (spots,): highest probability of each spot.
    right
        bool (spots,): whether the class with that probability is correct.

    Returns
    -------
    DataFrame
        Columns confidence_low, confidence_high (of `BINS` intervals), n_spots, confidence (mean),
        accuracy. Intervals without spots are left out.
    """
    number = np.minimum((np.asarray(confidence) * BINS).astype(int), BINS - 1)
    spots = pd.DataFrame({"number": number, "confidence": confidence, "accuracy": right})
    table = spots.groupby("number").agg(
        n_spots=("accuracy", "size"),
        confidence=("confidence", "mean"),
        accuracy=("accuracy", "mean"),
    )
    table.insert(0, "confidence_low", table.index / BINS)
    table.insert(1, "confidence_high", (table.index + 1) / BINS)
    return table.reset_index(drop=True)


def calibration_error(reliability: pd.DataFrame) -> float:
    """Return the expected calibration error of a `reliability_table`: the mean gap over spots."""
    gaps = (reliability["confidence"] - reliability["accuracy"]).abs()
    return float(np.average(gaps, weights=reliability["n_spots"]))


def calls_table(
    confidence: np.ndarray, right: np.ndarray, thresholds: Sequence[float] = THRESHOLDS
) -> pd.DataFrame:
    """Compute the share and accuracy of spots called above each confidence threshold.

    Parameters
    ----------
    confidence, right
        As in `reliability_table`.
    thresholds
        Minimum confidences of a call.

    Returns
    -------
    DataFrame
        Columns threshold, share_called (of all spots), accuracy_called (NaN if no spot is called).
    """
    rows = []
    for threshold in thresholds:
        called = np.asarray(confidence) >= threshold
        accuracy = float(np.mean(right[called])) if called.any() else np.nan
        rows.append((threshold, float(np.mean(called)), accuracy))
    return pd.DataFrame(rows, columns=["threshold", "share_called", "accuracy_called"])


def _logarithms(probabilities: np.ndarray) -> np.ndarray:
    """Return natural logarithms; minus infinity for probability 0."""
    logs = np.log(np.maximum(probabilities, SMALLEST))
    return np.where(probabilities > 0, logs, -np.inf)
