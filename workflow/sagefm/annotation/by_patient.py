"""A task patient by patient: the headline score, who was seen in pretraining, paired differences.

The headline is `patient_balanced_accuracy`. A class counts in a patient if at least
`min_class_spots` of its spots were tested there; the patient's value is the mean over the classes
that count of the share of their spots found; the score is the mean over patients. A patient in whom
one class counts has that class's share; a patient in whom none counts is left out.
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
"""Columns of the patients' table that are compared."""


def sets_of_predictions(predictions: pd.DataFrame) -> Iterator[tuple[dict, pd.DataFrame]]:
    """The values of `KEYS` of each set of predictions, and its rows."""
    for keys, own in predictions.groupby(KEYS, sort=False):
        yield dict(zip(KEYS, keys, strict=True)), own


def patient_table(
    predictions: pd.DataFrame, seen: Mapping[str, pd.Series], min_class_spots: int
) -> pd.DataFrame:
    """Scores of each patient, the spots of repeats pooled.

    Parameters
    ----------
    predictions
        Of `predict.annotate_task`, with a column representation.
    seen
        Of `patients_of_models`.
    min_class_spots
        Tested spots, each counted once, from which a class counts in a patient.

    Returns
    -------
    DataFrame
        `KEYS`, patient, seen (missing where it is unknown whether the model has seen the patient),
        n_spots, n_classes (that count), accuracy (of all spots), `HEADLINE` (of the classes that
        count; NaN if there is none).
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
    return pd.DataFrame(rows)


def headline_score(patients: pd.DataFrame) -> dict[str, float]:
    """The mean over patients of one set of predictions, with its 95 % t interval.

    Parameters
    ----------
    patients
        Rows of `patient_table`.

    Returns
    -------
    dict
        `HEADLINE`, with `_low` and `_high` (NaN for fewer than two patients), and
        n_patients_counted (those in whom a class counts).
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
    """Patients scored together: `all`, and those that a model has not seen, if that is not all.

    Those of whom it is unknown whether the model has seen them are in `all` alone.

    Returns
    -------
    dict
        Name (`all`, `unseen by {representation}`) to patients; of models that lack the same ones,
        the first gives its name.
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
    """Each representation against each of its references, patient by patient.

    Like is compared with like: the same classifier, centring, protocol and patients.

    Parameters
    ----------
    patients
        Of `patient_table`.
    subsets
        Of `patient_subsets`.
    references
        Of `Catalogue.references`; those that were not scored are left out.
    transductive
        Representation to whether it was fitted on the spots it is scored on.

    Returns
    -------
    DataFrame
        `KEYS`, transductive, baseline (the reference), baseline_transductive, metric, subset, and
        of `paired.paired_difference` over patients: difference, low, high, p, smallest_p,
        n_patients, better_in (patients); p_holm corrects a representation's comparisons with all
        its references, of which there are n_comparisons.
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
    """Of each model's representation, whether its pretraining has seen each patient.

    Parameters
    ----------
    splits
        Model to its split, of `split.split_samples`.
    rows
        The cohort's sheet: cohort, sample, dataset, patient.

    Returns
    -------
    dict
        Representation to `patients.seen_patients`. Of a cohort that the model was trained on, all
        samples count.
    """
    return {
        # By every name of the sheet: a task joins fewer of them, as it knows no training section.
        f"sagefm-{model}": seen_patients(mark_seen(split, rows).assign(patient=name_patients(rows)))
        for model, split in splits.items()
    }


def seen_by(
    seen: Mapping[str, pd.Series], representation: str, patients: Sequence[str]
) -> pd.Series:
    """Whether a representation's model has seen some patients; without a model: none."""
    nobody = pd.Series(False, index=patients, dtype="boolean")
    return seen.get(representation, nobody).reindex(patients)
