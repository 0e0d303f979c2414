"""How far probabilities of classes can be trusted: temperature, reliability, calls and their cost.

Probabilities of a classifier are calibrated by one number, the temperature that their logarithms
are divided by, and judged by their expected calibration error (Guo et al. 2017, arXiv:1706.04599).
Everything is computed on held-out predictions. The temperature that a patient's predictions are
judged at was fitted on the predictions of the other patients.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

BINS = 10
"""Intervals of equal width, of the confidence, whose accuracy is compared with it."""

THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Confidences at which the share of spots that are called, and their accuracy, are reported."""

SMALLEST = 1e-300
"""Least probability whose logarithm is taken."""

HOTTEST = 20.0
"""Highest temperature that is tried; its inverse is the lowest."""


def heated(probabilities: np.ndarray, temperature: float | np.ndarray) -> np.ndarray:
    """Probabilities (spots, classes) at a temperature, or at one for each spot (spots, 1).

    A class of probability 0 is one that the classifier has not seen, and keeps it.
    """
    return softmax(_logarithms(probabilities) / temperature, axis=1)


def fit_temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The temperature of the least log loss.

    Parameters
    ----------
    probabilities
        float64 (spots, classes), of held-out spots.
    truth
        int (spots,): each spot's class. Spots of a class that the classifier has not seen are left
        out, because no temperature changes their probability of 0.

    Returns
    -------
    float
        Between 1 / `HOTTEST` and `HOTTEST`; 1 without any spot.
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
    """For each spot, the temperature fitted on the spots of all other groups: float64 (spots,).

    Parameters
    ----------
    probabilities, truth
        As for `fit_temperature`.
    groups
        (spots,): what is held out together, such as the patient.
    """
    found = np.ones(len(truth))
    for group in np.unique(groups):
        own = groups == group
        found[own] = fit_temperature(probabilities[~own], truth[~own])
    return found


def reliability_table(confidence: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """Accuracy by confidence.

    Parameters
    ----------
    confidence
        float (spots,): the highest probability of each spot.
    right
        bool (spots,): whether the class of that probability is the spot's.

    Returns
    -------
    DataFrame
        confidence_low, confidence_high (of `BINS` intervals), n_spots, confidence (mean), accuracy;
        intervals without spots are left out.
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
    """Expected calibration error of a `reliability_table`: the mean gap, weighted by spots."""
    gaps = (reliability["confidence"] - reliability["accuracy"]).abs()
    return float(np.average(gaps, weights=reliability["n_spots"]))


def calls_table(
    confidence: np.ndarray, right: np.ndarray, thresholds: Sequence[float] = THRESHOLDS
) -> pd.DataFrame:
    """What abstention below a confidence costs, and what it gains.

    Parameters
    ----------
    confidence, right
        As for `reliability_table`.
    thresholds
        Least confidences of a call.

    Returns
    -------
    DataFrame
        threshold, share_called (of all spots), accuracy_called (NaN if no spot is called).
    """
    rows = []
    for threshold in thresholds:
        called = np.asarray(confidence) >= threshold
        accuracy = float(np.mean(right[called])) if called.any() else np.nan
        rows.append((threshold, float(np.mean(called)), accuracy))
    return pd.DataFrame(rows, columns=["threshold", "share_called", "accuracy_called"])


def _logarithms(probabilities: np.ndarray) -> np.ndarray:
    """Natural logarithms, minus infinity of a class that has probability 0."""
    logs = np.log(np.maximum(probabilities, SMALLEST))
    return np.where(probabilities > 0, logs, -np.inf)
