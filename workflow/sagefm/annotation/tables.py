"""Tables of a task: scores of all representations, scores by class, confusion, maps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sagefm.annotation.by_patient import headline_score, seen_by, sets_of_predictions
from sagefm.annotation.scores import score
from sagefm.annotation.terms import KEYS

COSTS = ("seconds", "peak_mib", "training_seconds", "differs")


@dataclass(frozen=True)
class Tested:
    """What all representations of a task are scored on.

    Attributes
    ----------
    classes
        Names of the tested classes, sorted.
    subsets
        Result of `by_patient.patient_subsets`.
    seen
        Result of `by_patient.patients_of_models`.
    """

    classes: np.ndarray
    subsets: Mapping[str, Sequence[str]]
    seen: Mapping[str, pd.Series]


def score_rows(
    predictions: pd.DataFrame,
    patients: pd.DataFrame,
    fits: pd.DataFrame,
    tested: Tested,
    seed: int,
) -> list[dict]:
    """Score every representation, classifier, centring and protocol.

    Parameters
    ----------
    predictions, fits
        Results of `predict.annotate_task` or of `predict.majority_predictions`, with a column
        representation.
    patients
        Result of `by_patient.patient_table` for the same predictions.
    seed
        Seed of the bootstrap.

    Returns
    -------
    list of dict
        Keys `KEYS`, subset (of patients), `HEADLINE` (over patients) and `METRICS` (pooled spots)
        each with `_low` and `_high`, n_patients_counted (in `HEADLINE`), n_spots, n_patients,
        n_classes, patients_seen, patients_unknown (whether they were seen), n_folds, n_train
        (median), n_at_end (fits for which a value beyond the grid could be better), n_unseen (spots
        of classes missing from training, counted as wrong), transductive, spatial_method,
        fit_seconds.
    """
    fitted = fits[fits["skipped"].fillna("") == ""]
    rows = []
    for keys, own in sets_of_predictions(predictions):
        mine = fitted[(fitted[KEYS] == pd.Series(keys)).all(axis=1)]
        theirs = patients[(patients[KEYS] == pd.Series(keys)).all(axis=1)]
        for subset, names in tested.subsets.items():
            part = own[own["patient"].isin(names)]
            if len(part):
                known = seen_by(tested.seen, keys["representation"], part["patient"].unique())
                row = {**keys, "subset": subset}
                row |= headline_score(theirs[theirs["patient"].isin(names)])
                row |= score(part, tested.classes, seed)
                row |= {"patients_seen": known.sum(), "patients_unknown": known.isna().sum()}
                rows.append(row | _fit_facts(mine))
    return rows


def with_costs(scores: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Add what each representation took, from all genes, even if the task withholds some.

    Parameters
    ----------
    scores
        Rows of `score_rows`.
    costs
        Columns representation and, as far as known, `COSTS`.

    Returns
    -------
    DataFrame
        The scores with representation_seconds, peak_mib, training_seconds, differs.
    """
    costs = costs.reindex(columns=["representation", *COSTS])
    costs = costs.rename(columns={"seconds": "representation_seconds"})
    return scores.merge(costs, on="representation", how="left")


def _fit_facts(fits: pd.DataFrame) -> dict:
    """Summarise the fits behind a row of scores; missing for the majority class."""
    first = fits.iloc[0] if len(fits) else {}
    return {
        "n_folds": len(fits) or np.nan,
        "n_train": fits["n_train"].median(),
        "n_at_end": fits["at_end"].sum() if len(fits) else np.nan,
        "n_unseen": fits["n_unseen"].sum() if len(fits) else np.nan,
        "transductive": first.get("transductive"),
        "spatial_method": first.get("spatial_method"),
        "fit_seconds": fits["seconds"].sum() if len(fits) else np.nan,
    }


def class_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Compute precision, recall and F1 of each class, with the spots of repeats pooled.

    Returns
    -------
    DataFrame
        Columns `KEYS`, class, precision (NaN if never predicted), recall, f1, n_spots, n_predicted.
    """
    rows = []
    for keys, own in sets_of_predictions(predictions):
        truth, predicted = own["truth"].to_numpy(), own["predicted"].to_numpy()
        for name in np.unique(truth):
            true, called = truth == name, predicted == name
            hits = int((true & called).sum())
            rows.append(
                {
                    **keys,
                    "class": name,
                    "precision": hits / called.sum() if called.any() else np.nan,
                    "recall": hits / true.sum(),
                    "f1": 2 * hits / (true.sum() + called.sum()),
                    "n_spots": int(true.sum()),
                    "n_predicted": int(called.sum()),
                }
            )
    return pd.DataFrame(rows)


def confusion_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Count spots by true and predicted class: `KEYS`, truth, predicted, n_spots (all repeats)."""
    counts = predictions.groupby([*KEYS, "truth", "predicted"], sort=False).size()
    return counts.rename("n_spots").reset_index()


def map_table(
    spots: pd.DataFrame,
    annotations: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]],
    chosen: Mapping[str, Mapping],
) -> pd.DataFrame:
    """Return true and predicted classes with positions on the tissue.

    Parameters
    ----------
    spots
        `TaskLabels.spots`; those without a label are kept as background.
    annotations
        Predictions and fits of each representation.
    chosen
        For each new column, the values of `KEYS` that select one prediction per spot.

    Returns
    -------
    DataFrame
        Columns sample, patient, spot, x_pixels, y_pixels, label, and one column of predicted
        classes for each of `chosen`.
    """
    columns = ["sample", "patient", "spot", "x_pixels", "y_pixels", "label"]
    table = spots[columns]
    for column, keys in chosen.items():
        own = _chosen(annotations[keys["representation"]][0], keys)
        table = table.merge(
            own.rename(columns={"predicted": column}), on=["sample", "spot"], how="left"
        )
    return table


def _chosen(predictions: pd.DataFrame, keys: Mapping) -> pd.DataFrame:
    """Return one prediction per spot of a representation, by the other values of `KEYS`."""
    own = predictions[(predictions[KEYS[1:]] == pd.Series(dict(keys))[KEYS[1:]]).all(axis=1)]
    return own.drop_duplicates(["sample", "spot"])[["sample", "spot", "predicted"]]
