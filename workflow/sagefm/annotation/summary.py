"""All tables of a task, from the predictions of all representations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sagefm.annotation.by_patient import (
    patient_subsets,
    patient_table,
    patients_of_models,
    task_comparisons,
)
from sagefm.annotation.predict import AnnotationPlan, majority_predictions, task_folds
from sagefm.annotation.tables import (
    Tested,
    class_table,
    confusion_table,
    map_table,
    score_rows,
    with_costs,
)
from sagefm.annotation.terms import HEADLINE, KEYS, MAJORITY, best_of, headline_protocol
from sagefm.common.errors import InputError
from sagefm.representations.catalogue import REGISTERED, Catalogue
from sagefm.representations.method import BOUNDS


@dataclass(frozen=True)
class _Part:
    """What one representation adds to the tables; scores as rows."""

    patients: pd.DataFrame
    scores: list[dict]
    per_class: pd.DataFrame
    confusion: pd.DataFrame
    fits: pd.DataFrame


def summarise_task(
    labels: pd.DataFrame,
    annotations: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]],
    plan: AnnotationPlan,
    *,
    min_class_spots: int,
    splits: Mapping[str, pd.DataFrame],
    rows: Sequence[Mapping],
    costs: pd.DataFrame,
    headline: str,
    catalogue: Catalogue = REGISTERED,
) -> dict[str, pd.DataFrame]:
    """Compute every table of a task.

    Parameters
    ----------
    labels
        `TaskLabels.spots`.
    annotations
        Predictions and fits of each representation, from `predict.annotate_task`. They are used one
        after the other, so that a mapping which reads them on demand holds those of one.
    min_class_spots
        As in `by_patient.patient_table`.
    splits, rows
        Split of each model and rows of the cohort's sheet, which give the patients seen in
        pretraining.
    costs
        Costs of the cohort's representations.
    headline
        Representation on which the claim is judged.
    catalogue
        Titles and roles of the representations.

    Returns
    -------
    dict
        Tables scores, per_class, confusion and maps (documented in `tables`), patients and
        comparisons (in `by_patient`), skipped (protocol, repeat, fold, reason), and shown (role,
        `KEYS`: predictions whose confusion and maps are drawn).

    Raises
    ------
    InputError
        If all folds of all protocols had to be skipped, or no class counts in any patient.
    """
    spots = labels[labels["label"].notna()].reset_index(drop=True)
    folds = task_folds(spots, plan)
    skipped = pd.DataFrame(
        [(fold.protocol, fold.repeat, fold.name, why) for fold, why in folds if why],
        columns=["protocol", "repeat", "fold", "reason"],
    )
    if len(skipped) == len(folds):
        raise InputError(
            f"no fold could be scored ({skipped['reason'].iloc[0]}). Fix: choose other protocols "
            "for the task, or add patients."
        )
    seen = patients_of_models(splits, pd.DataFrame(rows))
    majority = majority_predictions(spots, plan)
    tested = Tested(
        classes=np.unique(majority["truth"].to_numpy(dtype=str)),
        subsets=patient_subsets(majority["patient"].unique(), seen),
        seen=seen,
    )

    def part(name: str, predictions: pd.DataFrame, fits: pd.DataFrame) -> _Part:
        own, fits = (table.assign(representation=name) for table in (predictions, fits))
        patients = patient_table(own, seen, min_class_spots)
        scores = score_rows(own, patients, fits, tested, plan.seed)
        return _Part(patients, scores, class_table(own), confusion_table(own), fits)

    parts = [part(name, *annotations[name]) for name in annotations]
    fits = pd.concat([own.fits for own in parts])
    parts.append(part(MAJORITY, majority, fits.iloc[:0]))
    scores = with_costs(pd.DataFrame([row for own in parts for row in own.scores]), costs)
    if scores.loc[scores["protocol"] == headline_protocol(scores), HEADLINE].isna().all():
        raise InputError(
            f"no patient has {min_class_spots} spots of a class. Fix: lower the task's "
            "`min_class_spots`."
        )
    patients = pd.concat([own.patients for own in parts], ignore_index=True)
    shown = _shown(scores, headline, plan.classifiers[0], catalogue)
    return {
        "scores": scores,
        "per_class": pd.concat([own.per_class for own in parts], ignore_index=True),
        "confusion": pd.concat([own.confusion for own in parts], ignore_index=True),
        "patients": patients,
        "comparisons": task_comparisons(
            patients,
            tested.subsets,
            catalogue.references(),
            fits.groupby("representation")["transductive"].first(),
        ),
        "skipped": skipped,
        "shown": shown,
        "maps": map_table(
            labels,
            annotations,
            {row["role"]: row for row in shown.to_dict("records") if row["role"] != "baseline"},
        ),
    }


def _shown(
    scores: pd.DataFrame, headline: str, classifier: str, catalogue: Catalogue
) -> pd.DataFrame:
    """Choose predictions for figures: the headline's, the best other, an untrained niche's."""
    protocol = headline_protocol(scores)
    own = scores[
        (scores["protocol"] == protocol)
        & (scores["classifier"] == classifier)
        & (scores["subset"] == "all")
    ]
    rows = []
    mine = own[own["representation"] == headline].sort_values("centred", kind="stable")
    if len(mine):
        rows.append({"role": "headline", **mine.iloc[0][KEYS]})
    left_out = [headline, *catalogue.references(*BOUNDS)]
    if not own["representation"].isin(left_out).all():
        rows.append({"role": "best", **best_of(scores, classifier, without=left_out)[KEYS]})
    near = own[own["representation"].isin(catalogue.untrained(spatial=True))]
    near = near.sort_values("centred", kind="stable")
    if len(near) and near["representation"].iloc[0] not in {r["representation"] for r in rows}:
        rows.append({"role": "baseline", **near.iloc[0][KEYS]})
    return pd.DataFrame(rows)
