"""Scores of predicted classes, with intervals by bootstrap over patients.

Every score is a function of sums over patients, stored once per patient (or pair of patients).
Resampling patients only changes their weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sagefm.stats.resampling import resampling

METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "auroc")

BOOTSTRAPS = 2000
"""Number of resamplings of patients for a score's interval."""


@dataclass(frozen=True)
class Tally:
    """Counts of predictions in one repeat.

    Attributes
    ----------
    classes, patients
        Names, sorted.
    confusion
        float64 (patients, classes, classes): number of spots by true and predicted class.
    wins
        float64 (classes, patients, patients): number of pairs of a spot of the class (first
        patient) and a spot of another class (second patient) in which the first has the higher
        probability of the class. Ties count half. None without probabilities.
    """

    classes: np.ndarray
    patients: np.ndarray
    confusion: np.ndarray
    wins: np.ndarray | None

    def scores(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Compute each of `METRICS` for each row of weights (draws, patients): float64 (draws,).

        Means over classes cover classes with true spots. For macro F1, classes that are only
        predicted count as 0, as in scikit-learn. AUROC compares one class with the rest.
        """
        confusion = np.tensordot(weights, self.confusion, axes=1)
        hits = np.diagonal(confusion, axis1=1, axis2=2)
        truth, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
        return {
            "accuracy": hits.sum(axis=1) / truth.sum(axis=1),
            "balanced_accuracy": _mean_where(hits, truth, truth > 0),
            "macro_f1": _mean_where(2 * hits, truth + predicted, truth + predicted > 0),
            "auroc": self._auroc(weights, truth),
        }

    def _auroc(self, weights: np.ndarray, truth: np.ndarray) -> np.ndarray:
        if self.wins is None:
            return np.full(len(weights), np.nan)
        # Class by class, so that memory does not grow with draws x patients x classes.
        won = np.stack([((weights @ own) * weights).sum(axis=1) for own in self.wins], axis=1)
        pairs = truth * (truth.sum(axis=1, keepdims=True) - truth)
        return _mean_where(won, pairs, pairs > 0)


def _mean_where(above: np.ndarray, below: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return the row means of above / below over the columns marked in `where`."""
    ratios = np.divide(above, below, out=np.zeros_like(above, dtype=float), where=where)
    counted = where.sum(axis=1)
    return np.divide(
        ratios.sum(axis=1), counted, out=np.full(len(above), np.nan), where=counted > 0
    )


def tally(predictions: pd.DataFrame, classes: ArrayLike, patients: ArrayLike) -> Tally:
    """Count the predictions of one repeat, with columns truth, predicted, patient, `p_{class}`."""
    classes, patients = np.asarray(classes, dtype=str), np.asarray(patients, dtype=str)
    who = np.searchsorted(patients, predictions["patient"].to_numpy(dtype=str))
    truth = np.searchsorted(classes, predictions["truth"].to_numpy(dtype=str))
    predicted = np.searchsorted(classes, predictions["predicted"].to_numpy(dtype=str))
    confusion = np.zeros((len(patients), len(classes), len(classes)))
    np.add.at(confusion, (who, truth, predicted), 1)
    columns = [f"p_{name}" for name in classes]
    if not set(columns) <= set(predictions) or predictions[columns].isna().any(axis=None):
        return Tally(classes, patients, confusion, None)
    probability = predictions[columns].to_numpy()
    wins = [
        _wins(probability[:, number], truth == number, who, len(patients))
        for number in range(len(classes))
    ]
    return Tally(classes, patients, confusion, np.stack(wins))


def _wins(score: np.ndarray, positive: np.ndarray, who: np.ndarray, patients: int) -> np.ndarray:
    """Count pairs won by positives of a patient (rows) over negatives of another (columns)."""
    wins = np.zeros((patients, patients))
    own, mine = score[positive], who[positive]
    for other in range(patients):
        rest = np.sort(score[~positive & (who == other)])
        below = np.searchsorted(rest, own, side="left") + np.searchsorted(rest, own, side="right")
        wins[:, other] = np.bincount(mine, weights=below / 2, minlength=patients)
    return wins


def score(predictions: pd.DataFrame, classes: ArrayLike, seed: int = 0) -> dict[str, float]:
    """Score one classifier's predictions under one protocol.

    Predictions of all folds are pooled; scores are averaged over repeats.

    Returns
    -------
    dict
        Each of `METRICS` with `{metric}_low` and `{metric}_high` (95% interval: percentiles over
        resampled patients; NaN for one patient), n_spots (over all repeats, each counted once),
        n_patients, n_classes.
    """
    patients = np.unique(predictions["patient"].to_numpy(dtype=str))
    tallies = [tally(own, classes, patients) for _, own in predictions.groupby("repeat")]
    result: dict[str, float] = {}
    whole = _averaged(tallies, np.ones((1, len(patients))))
    spread = None
    if len(patients) > 1:
        spread = _averaged(tallies, resampling(len(patients), BOOTSTRAPS, seed))
    for metric in METRICS:
        result[metric] = float(whole[metric][0])
        for end, percent in (("low", 2.5), ("high", 97.5)):
            drawn = np.full(1, np.nan) if spread is None else spread[metric]
            known = drawn[~np.isnan(drawn)]
            result[f"{metric}_{end}"] = (
                float(np.percentile(known, percent)) if len(known) else np.nan
            )
    spots = predictions.drop_duplicates(["sample", "spot"])
    return result | {
        "n_spots": len(spots),
        "n_patients": len(patients),
        "n_classes": spots["truth"].nunique(),
    }


def _averaged(tallies: Sequence[Tally], weights: np.ndarray) -> dict[str, np.ndarray]:
    found = [own.scores(weights) for own in tallies]
    return {metric: np.mean([scores[metric] for scores in found], axis=0) for metric in METRICS}
