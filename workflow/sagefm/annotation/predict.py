"""Predictions of a task's classes from one representation, by protocol and classifier."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from sagefm.annotation.classifiers import (
    CLASSIFIERS,
    Fitted,
    Values,
    fit_classifier,
    fit_reduction,
    fit_scaling,
)
from sagefm.annotation.protocols import Fold, folds
from sagefm.annotation.terms import MAJORITY, spot_sections
from sagefm.representations.files import Representation, require_same_spots

LOG = logging.getLogger("sagefm")


@dataclass(frozen=True)
class AnnotationPlan:
    """Settings of a task's predictions, from its config entry.

    If `centred` has several values, only the first classifier uses those after the first.
    Probabilities are rounded to `digits` decimals, to limit the size of their table.
    """

    protocols: Sequence[str]
    classifiers: Sequence[str]
    centred: Sequence[bool] = (False,)
    repeats: int = 3
    seed: int = 0
    class_weight: str | None = None
    digits: int = 5


@dataclass
class Annotation:
    """Rows of the two tables that `annotate_task` returns."""

    predictions: list[pd.DataFrame] = field(default_factory=list)
    fits: list[dict] = field(default_factory=list)


def task_folds(spots: pd.DataFrame, plan: AnnotationPlan) -> list[tuple[Fold, str]]:
    """Return the folds of a task, each with the reason for skipping it (empty if not skipped).

    Parameters
    ----------
    spots
        Labelled spots: label, sample, patient, x_pixels, y_pixels, and section if some samples are
        copies of each other.
    """
    labels, patients = (spots[name].to_numpy(dtype=str) for name in ("label", "patient"))
    samples = spot_sections(spots)
    coordinates = spots[["x_pixels", "y_pixels"]].to_numpy(dtype=float)
    found = []
    for protocol in plan.protocols:
        groups = labels, samples, patients, coordinates
        own = [*folds(protocol, *groups, repeats=plan.repeats, seed=plan.seed)]
        if not own:
            group = protocol.removeprefix("held_out_").removesuffix("s")
            none = np.empty(0, dtype=int)
            found.append((Fold(protocol, 0, "all", none, none), f"the cohort has one {group} only"))
        for fold in own:
            classes = np.unique(labels[fold.train])
            why = ""
            if len(classes) < 2:
                alone = f"`{classes[0]}` alone" if len(classes) else "no spot"
                why = f"the training part has {alone}"
            found.append((fold, why))
    return found


def annotate_task(
    representation: Representation, labels: pd.DataFrame, plan: AnnotationPlan
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predict the class of every spot of a task each time it is in a test part.

    Parameters
    ----------
    labels
        `TaskLabels.spots` of the same cohort; spots without a label are excluded.

    Returns
    -------
    predictions : DataFrame
        protocol, classifier, centred, repeat, fold, sample, patient, spot, truth, predicted, and
        `p_{class}`, the probability of each class (0 for classes missing from training).
    fits : DataFrame
        protocol, repeat, fold, classifier, centred, chosen (hyperparameter value), at_end (whether
        a value beyond its grid could be better), seconds, n_train, n_test, n_classes,
        classes_unseen (in the test part but not in training), n_unseen (spots of those), notes,
        skipped (reason, otherwise empty), transductive, spatial_method.

    Raises
    ------
    InputError
        If labels and representation do not have the same spots.
    """
    index = pd.Index(labels["sample"].astype(str) + ":" + labels["spot"].astype(str))
    found = pd.Index(representation.obs.index.astype(str))
    require_same_spots(index, found, f"representation `{representation.name}`")
    inside = labels["label"].notna().to_numpy()
    spots = labels[inside].reset_index(drop=True)
    classes = np.unique(spots["label"].to_numpy(dtype=str))
    result = Annotation()
    planned = task_folds(spots, plan)
    for number, centred in enumerate(plan.centred):
        own = replace(plan, classifiers=plan.classifiers[:1]) if number else plan
        values = (representation.centred() if centred else representation.values)[inside]
        for fold, why in planned:
            if why:
                result.fits.append(_facts(fold, spots, centred) | {"skipped": why})
            else:
                _one_fold(result, fold, values, spots, classes, centred, own)
    fits = pd.DataFrame(result.fits).assign(
        transductive=representation.transductive, spatial_method=representation.spatial_method
    )
    none = pd.DataFrame(columns=["protocol", "truth", "predicted"])
    return pd.concat(result.predictions or [none], ignore_index=True), fits


def _one_fold(
    result: Annotation,
    fold: Fold,
    values: Values,
    spots: pd.DataFrame,
    classes: np.ndarray,
    centred: bool,
    plan: AnnotationPlan,
) -> None:
    """Fit every classifier on the fold's training part and predict its test part."""
    scaling = fit_scaling(values[fold.train])
    train, test = scaling.transform(values[fold.train]), scaling.transform(values[fold.test])
    reduced = train, test
    if any(CLASSIFIERS[name].reduced for name in plan.classifiers):
        reduction = fit_reduction(train, plan.seed)
        if reduction is not None:
            reduced = reduction.transform(train), reduction.transform(test)
    known = spots.iloc[fold.train]
    labels, patients = (known[name].to_numpy(dtype=str) for name in ("label", "patient"))
    samples = spot_sections(known)
    for name in plan.classifiers:
        own_train, own_test = reduced if CLASSIFIERS[name].reduced else (train, test)
        start = time.perf_counter()
        fitted = fit_classifier(
            name, own_train, labels, patients, samples, plan.seed, plan.class_weight
        )
        probability = _probabilities(fitted, own_test, classes)
        seconds = time.perf_counter() - start
        table = _predictions(fold, spots, classes, probability, name, centred)
        result.predictions.append(table.round(dict.fromkeys(_columns(classes), plan.digits)))
        result.fits.append(
            _facts(fold, spots, centred)
            | {"classifier": name, "chosen": fitted.chosen, "at_end": fitted.at_end}
            | {"seconds": round(seconds, 3), "notes": "; ".join(fitted.notes)}
        )
    LOG.info("%s %s%s: done", fold.protocol, fold.name, ", centred" if centred else "")


def _probabilities(fitted: Fitted, values: Values, classes: np.ndarray) -> np.ndarray:
    """Return the probability of each of the task's classes: float64 (spots, classes)."""
    probability = np.zeros((values.shape[0], len(classes)))
    known = np.searchsorted(classes, fitted.model.classes_)
    probability[:, known] = fitted.model.predict_proba(values)
    return probability


def _predictions(
    fold: Fold,
    spots: pd.DataFrame,
    classes: np.ndarray,
    probability: np.ndarray,
    classifier: str,
    centred: bool,
) -> pd.DataFrame:
    tested = spots.iloc[fold.test]
    table = pd.DataFrame(
        {
            "protocol": fold.protocol,
            "classifier": classifier,
            "centred": centred,
            "repeat": fold.repeat,
            "fold": fold.name,
            "sample": tested["sample"].to_numpy(),
            "patient": tested["patient"].to_numpy(),
            "spot": tested["spot"].to_numpy(),
            "truth": tested["label"].to_numpy(),
            "predicted": classes[probability.argmax(axis=1)],
        }
    )
    return table.join(pd.DataFrame(probability, columns=_columns(classes)))


def _columns(classes: np.ndarray) -> list[str]:
    """Return the column names of class probabilities."""
    return [f"p_{name}" for name in classes]


def _facts(fold: Fold, spots: pd.DataFrame, centred: bool) -> dict:
    """Return facts about a fold that are known before fitting."""
    known, tested = spots["label"].iloc[fold.train], spots["label"].iloc[fold.test]
    unseen = tested[~tested.isin(known.unique())]
    return {
        "protocol": fold.protocol,
        "repeat": fold.repeat,
        "fold": fold.name,
        "classifier": "",
        "centred": centred,
        "chosen": "",
        "at_end": False,
        "seconds": 0.0,
        "n_train": len(known),
        "n_test": len(tested),
        "n_classes": known.nunique(),
        "classes_unseen": "; ".join(sorted(unseen.unique())),
        "n_unseen": len(unseen),
        "notes": "",
        "skipped": "",
    }


def majority_predictions(spots: pd.DataFrame, plan: AnnotationPlan) -> pd.DataFrame:
    """Predict the training part's largest class for every test spot, as a trivial baseline.

    Covers only folds on which the representations are scored.

    Parameters
    ----------
    spots
        Labelled spots: label, sample, patient, spot, x_pixels, y_pixels.

    Returns
    -------
    DataFrame
        Predictions as in `annotate_task`, with a column representation and without probabilities.
    """
    tables = []
    for fold, why in task_folds(spots, plan):
        if not why:
            tested = spots.iloc[fold.test]
            largest = spots["label"].iloc[fold.train].mode().iloc[0]
            tables.append(
                pd.DataFrame(
                    {
                        "representation": MAJORITY,
                        "protocol": fold.protocol,
                        "classifier": MAJORITY,
                        "centred": False,
                        "repeat": fold.repeat,
                        "fold": fold.name,
                        "sample": tested["sample"],
                        "patient": tested["patient"],
                        "spot": tested["spot"],
                        "truth": tested["label"],
                        "predicted": largest,
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)
