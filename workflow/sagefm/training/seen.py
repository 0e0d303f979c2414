"""Which patients a model has learnt from, and the samples it may be scored on."""

import pandas as pd

from sagefm.stats.patients import is_named, name_patients, patient_keys


def mark_seen(split: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Samples and whether the model has learnt from their patients, and from their data sets.

    A patient is seen if a sample of the patient is in the training or validation part. Whether that
    is so is unknown of a patient whom the sheet does not name, and of one whose data set has
    samples without names in these parts.

    Parameters
    ----------
    split
        Of `split.split_samples`, or its table read as text.
    rows
        A cohort's sheet: columns cohort, sample, dataset, patient, and others that are kept.

    Returns
    -------
    DataFrame
        `rows`, their patient as `name_patients` has it, with patient_seen (nullable boolean:
        missing where unknown) and dataset_seen (bool).
    """
    learnt = split[split["part"] != "test"].fillna("")
    seen = patient_keys(rows).isin(patient_keys(learnt))
    unnamed_in = learnt.loc[~is_named(learnt), "dataset"]
    known = is_named(rows) & ~rows["dataset"].isin(unnamed_in)
    return rows.assign(
        patient=name_patients(rows),
        patient_seen=seen.astype("boolean").where(seen | known),
        dataset_seen=rows["dataset"].isin(learnt["dataset"]),
    )


def scored_samples(split: pd.DataFrame, rows: pd.DataFrame, cohort: str) -> pd.DataFrame:
    """A cohort's samples a model may be scored on, marked by `mark_seen`.

    Of a cohort the model was trained on, only the test part; else all.
    """
    table = mark_seen(split, rows)
    if cohort in set(split["cohort"]):
        tested = split[(split["part"] == "test") & (split["cohort"] == cohort)]
        table = table[table["sample"].isin(tested["sample"])]
    return table
