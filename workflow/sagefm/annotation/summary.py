"""All tables of a task, from the predictions of all representations."""

from collections.abc import Mapping, Sequence

import pandas as pd

from sagefm.annotation.by_patient import (
    patient_subsets,
    patient_table,
    patients_of_models,
    task_comparisons,
)
from sagefm.annotation.predict import AnnotationPlan, majority_predictions, task_folds
from sagefm.annotation.tables import (
    class_table,
    confusion_table,
    map_table,
    task_scores,
)
from sagefm.annotation.terms import HEADLINE, KEYS, best_of, headline_protocol
from sagefm.common.errors import InputError
from sagefm.representations.catalogue import REGISTERED, Catalogue
from sagefm.representations.method import BOUNDS


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
        Predictions and fits of each representation, from `predict.annotate_task`.
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
    skipped = pd.DataFrame(
        [(f.protocol, f.repeat, f.name, why) for f, why in task_folds(spots, plan) if why],
        columns=["protocol", "repeat", "fold", "reason"],
    )
    predictions = pd.concat(
        [own.assign(representation=name) for name, (own, _) in annotations.items()]
    )
    if predictions.empty:
        raise InputError(
            f"no fold could be scored ({skipped['reason'].iloc[0]}). Fix: choose other protocols "
            "for the task, or add patients."
        )
    predictions = pd.concat([predictions, majority_predictions(spots, plan)], ignore_index=True)
    fits = pd.concat([own.assign(representation=name) for name, (_, own) in annotations.items()])
    seen = patients_of_models(splits, pd.DataFrame(rows))
    patients = patient_table(predictions, seen, min_class_spots)
    scores = task_scores(predictions, patients, fits, seen, costs, plan.seed)
    if scores.loc[scores["protocol"] == headline_protocol(scores), HEADLINE].isna().all():
        raise InputError(
            f"no patient has {min_class_spots} spots of a class. Fix: lower the task's "
            "`min_class_spots`."
        )
    subsets = patient_subsets(patients["patient"].unique(), seen)
    shown = _shown(scores, headline, plan.classifiers[0], catalogue)
    return {
        "scores": scores,
        "per_class": class_table(predictions),
        "confusion": confusion_table(predictions),
        "patients": patients,
        "comparisons": task_comparisons(
            patients,
            subsets,
            catalogue.references(),
            fits.groupby("representation")["transductive"].first(),
        ),
        "skipped": skipped,
        "shown": shown,
        "maps": map_table(
            labels,
            predictions,
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
