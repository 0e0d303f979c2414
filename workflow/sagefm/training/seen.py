"""Patients that a model was trained on, and samples on which it may be scored."""

import pandas as pd

from sagefm.stats.patients import is_named, join_copies, name_patients, patient_keys

SCORED = "scored"
"""Part of the samples that `with_scored` adds, which belong to no part of the model's split."""


def with_scored(
    split: pd.DataFrame, rows: pd.DataFrame, duplicates: pd.DataFrame | None
) -> pd.DataFrame:
    """Add the samples of another cohort, on which the model will be scored, to its split.

    That cohort may contain a section from training under another patient. The groups of both
    patients are then merged.

    Parameters
    ----------
    split
        Result of `split.split_samples`.
    rows
        Sheet of the other cohort: cohort, sample, dataset, patient.
    duplicates
        Columns sample, duplicate_of (see `patients.join_copies`).

    Returns
    -------
    DataFrame
        The columns of `split`; added samples have the part `SCORED`.
    """
    added = rows[["cohort", "sample", "dataset", "patient"]]
    added = added.assign(group=_groups(split, added), part=SCORED)
    table = pd.concat([split, added], ignore_index=True)
    table["group"] = join_copies(table["group"], table, duplicates)
    return table


def mark_seen(split: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Mark whether the model was trained on each sample's patient and on its data set.

    A patient is seen if one of the patient's samples is in the training or validation part. This is
    unknown for samples without a patient in the sheet. It is also unknown for patients whose data
    set has unnamed samples in these parts. Patients that share a section, by the groups of the
    split, count as one.

    Parameters
    ----------
    split
        Result of `split.split_samples` or `with_scored`, or its table read as text.
    rows
        A cohort's sheet: columns cohort, sample, dataset, patient; further columns are kept.

    Returns
    -------
    DataFrame
        `rows` with patients named by `name_patients` (the first name in sorted order for merged
        patients), patient_seen (nullable boolean: missing if unknown) and dataset_seen (bool).
    """
    learnt = split[~split["part"].isin(["test", SCORED])].fillna("")
    groups = _groups(split, rows)
    seen = groups.isin(_groups(split, learnt))
    unnamed_in = learnt.loc[~is_named(learnt), "dataset"]
    known = is_named(rows) & ~rows["dataset"].isin(unnamed_in)
    return rows.assign(
        patient=name_patients(rows).groupby(groups).transform("min"),
        patient_seen=seen.astype("boolean").where(seen | known),
        dataset_seen=rows["dataset"].isin(learnt["dataset"]),
    )


def _groups(split: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    """Return the group of each sample's patient in a split, or the patient's key if not in it."""
    keys, listed = patient_keys(rows), split.fillna("")
    known = dict(zip(patient_keys(listed), listed["group"], strict=True))
    return keys.map(known).fillna(keys)


def scored_samples(split: pd.DataFrame, rows: pd.DataFrame, cohort: str) -> pd.DataFrame:
    """Return a cohort's samples on which a model may be scored, marked by `mark_seen`.

    For a cohort used in training, only the test part; otherwise all samples.
    """
    table, own = mark_seen(split, rows), split[split["part"] != SCORED]
    if cohort in set(own["cohort"]):
        tested = own[(own["part"] == "test") & (own["cohort"] == cohort)]
        table = table[table["sample"].isin(tested["sample"])]
    return table
