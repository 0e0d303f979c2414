"""Which patients a model has learnt from, and the samples it may be scored on."""

import pandas as pd

from sagefm.stats.patients import is_named, join_copies, name_patients, patient_keys

SCORED = "scored"
"""The part of samples in a table of `with_scored` that are none of the model's split."""


def with_scored(
    split: pd.DataFrame, rows: pd.DataFrame, duplicates: pd.DataFrame | None
) -> pd.DataFrame:
    """A model's split with the samples of another cohort, on which it is to be scored.

    A section that the model has learnt from may be in that cohort again, under another patient: the
    groups of both are one then.

    Parameters
    ----------
    split
        Of `split.split_samples`.
    rows
        The other cohort's sheet: cohort, sample, dataset, patient.
    duplicates
        Columns sample, duplicate_of, see `patients.join_copies`.

    Returns
    -------
    DataFrame
        The columns of `split`; the part of the samples that were added is `SCORED`.
    """
    added = rows[["cohort", "sample", "dataset", "patient"]]
    added = added.assign(group=_groups(split, added), part=SCORED)
    table = pd.concat([split, added], ignore_index=True)
    table["group"] = join_copies(table["group"], table, duplicates)
    return table


def mark_seen(split: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Samples and whether the model has learnt from their patients, and from their data sets.

    A patient is seen if a sample of the patient is in the training or validation part. Whether that
    is so is unknown of a patient whom the sheet does not name, and of one whose data set has
    samples without names in these parts. Patients who share a section, by the groups of the split,
    are one.

    Parameters
    ----------
    split
        Of `split.split_samples` or `with_scored`, or its table read as text.
    rows
        A cohort's sheet: columns cohort, sample, dataset, patient, and others that are kept.

    Returns
    -------
    DataFrame
        `rows`, their patient as `name_patients` has it (the least name of those who are one), with
        patient_seen (nullable boolean: missing where unknown) and dataset_seen (bool).
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
    """The group of each sample's patient in a split; of one who is not in it, the patient's key."""
    keys, listed = patient_keys(rows), split.fillna("")
    known = dict(zip(patient_keys(listed), listed["group"], strict=True))
    return keys.map(known).fillna(keys)


def scored_samples(split: pd.DataFrame, rows: pd.DataFrame, cohort: str) -> pd.DataFrame:
    """A cohort's samples a model may be scored on, marked by `mark_seen`.

    Of a cohort the model was trained on, only the test part; else all.
    """
    table, own = mark_seen(split, rows), split[split["part"] != SCORED]
    if cohort in set(own["cohort"]):
        tested = own[(own["part"] == "test") & (own["cohort"] == cohort)]
        table = table[table["sample"].isin(tested["sample"])]
    return table
