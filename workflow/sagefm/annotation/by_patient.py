"""A task by patient: the headline score, patients seen in pretraining, paired differences.

The headline is `patient_balanced_accuracy`. A class counts in a patient if at least
`min_class_spots` of its spots were tested there. The patient's value is the mean recall over the
classes that count, and the score is the mean over patients. If only one class counts in a patient,
the value is that class's recall. Patients without such a class are left out.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from sagefm.annotation.classifiers import mean_recall
from sagefm.annotation.terms import HEADLINE, KEYS
from sagefm.stats.paired import holm_within, paired_difference, t_interval
from sagefm.stats.patients import name_patients, seen_patients
from sagefm.training.seen import mark_seen

COMPARED = (HEADLINE, "accuracy")
"""Compared columns of the patients' table."""

PATIENTS = (*KEYS, "patient", "seen", "n_spots", "n_classes", "accuracy", HEADLINE)
"""Columns of the patients' table."""


def sets_of_predictions(predictions: pd.DataFrame) -> Iterator[tuple[dict, pd.DataFrame]]:
    """Yield the values of `KEYS` for each set of predictions, with its rows."""
    for keys, own in predictions.groupby(KEYS, sort=False):
        yield dict(zip(KEYS, keys, strict=True)), own


def patient_table(
    predictions: pd.DataFrame, seen: Mapping[str, pd.Series], min_class_spots: int
) -> pd.DataFrame:
    """Compute the scores of each patient, with the spots of repeats pooled.

    Parameters
    ----------
    predictions
        Predictions from `predict.annotate_task`, with a column representation.
    seen
        Result of `patients_of_models`.
    min_class_spots
        Minimum number of tested spots, each counted once, for a class to count in a patient.

    Returns
    -------
    DataFrame
        Columns `KEYS`, patient, seen (missing if it is unknown whether the model has seen the
        patient), n_spots, n_classes (that count), accuracy (of all spots), `HEADLINE` (of the
        classes that count; NaN if there are none).
    """
    rows = []
    for keys, own in sets_of_predictions(predictions):
        for patient, part in own.groupby("patient"):
            spots = part.drop_duplicates(["sample", "spot"])
            sizes = spots["truth"].value_counts()
            counted = sizes.index[sizes >= min_class_spots]
            rated = part[part["truth"].isin(counted)]
            rows.append(
                {
                    **keys,
                    "patient": patient,
                    "seen": seen_by(seen, keys["representation"], [patient]).iloc[0],
                    "n_spots": len(spots),
                    "n_classes": len(counted),
                    "accuracy": float((part["truth"] == part["predicted"]).mean()),
                    HEADLINE: mean_recall(rated["truth"].to_numpy(), rated["predicted"].to_numpy())
                    if len(counted)
                    else np.nan,
                }
            )
    return pd.DataFrame(rows, columns=PATIENTS).astype({"seen": "boolean"})


def headline_score(patients: pd.DataFrame) -> dict[str, float]:
    """Average one set of predictions over patients, with a 95% t interval.

    Parameters
    ----------
    patients
        Rows of `patient_table`.

    Returns
    -------
    dict
        `HEADLINE`, with `_low` and `_high` (NaN for fewer than two patients), and
        n_patients_counted (patients with a class that counts).
    """
    values = patients[HEADLINE].dropna().to_numpy()
    mean, low, high = t_interval(values)
    return {
        HEADLINE: mean,
        f"{HEADLINE}_low": low,
        f"{HEADLINE}_high": high,
        "n_patients_counted": len(values),
    }


def patient_subsets(patients: Sequence[str], seen: Mapping[str, pd.Series]) -> dict[str, list[str]]:
    """Return patients scored together: `all`, and those that a model has not seen, if fewer.

    Patients for whom this is unknown are only in `all`.

    Returns
    -------
    dict
        Name (`all`, `unseen by {representation}`) to patients. If several models have not seen the
        same patients, the subset is named after the first.
    """
    subsets = {"all": sorted(patients)}
    for name, known in seen.items():
        unseen = sorted(set(patients) & set(known.index[known.eq(False)]))
        if unseen and len(unseen) < len(subsets["all"]) and unseen not in subsets.values():
            subsets[f"unseen by {name}"] = unseen
    return subsets


def task_comparisons(
    patients: pd.DataFrame,
    subsets: Mapping[str, Sequence[str]],
    references: Sequence[str],
    transductive: Mapping[str, bool],
) -> pd.DataFrame:
    """Compare each representation with each of its references, patient by patient.

    Compared values share the classifier, centring, protocol and patients.

    Parameters
    ----------
    patients
        Result of `patient_table`.
    subsets
        Result of `patient_subsets`.
    references
        Result of `Catalogue.references`; those that were not scored are left out.
    transductive
        For each representation, whether it was fitted on the spots it is scored on.

    Returns
    -------
    DataFrame
        Columns `KEYS`, transductive, baseline (the reference), baseline_transductive, metric,
        subset, and from `paired.paired_difference` over patients: difference, low, high, p,
        smallest_p, n_patients, better_in (patients). p_holm is corrected over a representation's
        n_comparisons comparisons with all its references.
    """
    rows = []
    for subset, names in subsets.items():
        part = patients[patients["patient"].isin(names)]
        for keys, own in part.groupby(KEYS[1:], sort=False):
            settings = dict(zip(KEYS[1:], keys, strict=True)) | {"subset": subset}
            for metric in COMPARED:
                wide = own.pivot(index="patient", columns="representation", values=metric)
                for name in wide:
                    rows += [
                        {"representation": name, **settings, "baseline": other, "metric": metric}
                        | paired_difference((wide[name] - wide[other]).to_numpy())
                        for other in references
                        if other in wide and other != name
                    ]
    columns = [*KEYS, "transductive", "baseline", "baseline_transductive", "metric", "subset"]
    columns += ["difference", "low", "high", "p", "p_holm", "n_comparisons", "smallest_p"]
    columns += ["n_patients", "better_in"]
    table = pd.DataFrame(rows).rename(columns={"n": "n_patients"}).reindex(columns=columns)
    family = [*KEYS, "metric", "subset"]
    table["p_holm"] = holm_within(table, family)
    table["n_comparisons"] = table.groupby(family)["baseline"].transform("size")
    table["transductive"] = table["representation"].map(transductive)
    table["baseline_transductive"] = table["baseline"].map(transductive)
    return table


def patients_of_models(
    splits: Mapping[str, pd.DataFrame], rows: pd.DataFrame
) -> dict[str, pd.Series]:
    """Return, for each model's representation, whether its pretraining has seen each patient.

    Parameters
    ----------
    splits
        Split of each model, from `split.split_samples`.
    rows
        Sheet of the cohort: cohort, sample, dataset, patient.

    Returns
    -------
    dict
        Result of `patients.seen_patients` for each representation. For a cohort that the model was
        trained on, all samples count.
    """
    return {
        # Uses all names of the sheet: a task merges fewer patients, as it lacks training sections.
        f"sagefm-{model}": seen_patients(mark_seen(split, rows).assign(patient=name_patients(rows)))
        for model, split in splits.items()
    }


def seen_by(
    seen: Mapping[str, pd.Series], representation: str, patients: Sequence[str]
) -> pd.Series:
    """Return whether a representation's model has seen some patients; without a model, none."""
    nobody = pd.Series(False, index=patients, dtype="boolean")
    return seen.get(representation, nobody).reindex(patients)
