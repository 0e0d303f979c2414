"""Identity of patients: names count within a data set; an unnamed sample is its own patient.

Every table, split, test and figure uses these functions, so that all count the same patients.
`training.seen.mark_seen` decides whether a model has seen the patient of a sample.
"""

from typing import Any

import pandas as pd

from sagefm.common.keys import named, trimmed


def is_named(samples: pd.DataFrame) -> pd.Series:
    """Return whether the sheet names the patient of each sample: bool, from text column patient."""
    return _names(samples) != ""


def _names(samples: pd.DataFrame) -> pd.Series:
    """Return names of patients, empty if there is none."""
    return samples["patient"].fillna("").map(named)


def patient_keys(samples: pd.DataFrame) -> pd.Series:
    """Return the key of each sample's patient, the same in every table of every cohort.

    Parameters
    ----------
    samples
        Text columns cohort, sample, dataset, patient (empty where unnamed).

    Returns
    -------
    Series
        `dataset:patient`, or `cohort/sample` if the patient is not named.
    """
    own = samples["cohort"] + "/" + samples["sample"]
    named = samples["dataset"].map(trimmed) + ":" + _names(samples)
    return named.where(is_named(samples), own)


def name_patients(samples: pd.DataFrame) -> pd.Series:
    """Return a short name for each sample's patient, unique within the table.

    Parameters
    ----------
    samples
        Text columns sample, dataset, patient (empty where unnamed) of one table: a cohort's sheet,
        or the spots of its samples.

    Returns
    -------
    Series
        The patient's name. Unnamed patients get the sample's name, followed by ` (sample)` if a
        patient has that name. If patients of several data sets share a name, the data set is
        prepended (`dataset:name`).
    """
    names, known = _names(samples), is_named(samples)
    taken = samples["sample"].isin(names[known])
    own = samples["sample"].where(~taken, samples["sample"] + " (sample)")
    name = names.where(known, own)
    shared = samples.groupby(name)["dataset"].transform("nunique") > 1
    return (samples["dataset"] + ":" + name).where(shared, name)


def join_copies(
    groups: pd.Series, samples: pd.DataFrame, duplicates: pd.DataFrame | None
) -> pd.Series:
    """Merge groups that share a section, under the first of their names in sorted order.

    Parameters
    ----------
    groups
        Group of each row, such as a patient: str.
    samples
        Text columns cohort, sample: the sample of each row of `groups`.
    duplicates
        Columns sample, duplicate_of: sections known to be the same tissue, given as `sample` (of
        any cohort) or `cohort/sample`.
    """
    if duplicates is not None:
        own = samples["cohort"] + "/" + samples["sample"]
        for pair in zip(duplicates["sample"], duplicates["duplicate_of"], strict=True):
            joined = groups[samples["sample"].isin(pair) | own.isin(pair)].unique()
            groups = groups.mask(groups.isin(joined), min(joined, default=""))
    return groups


def seen_patients(samples: pd.DataFrame) -> pd.Series:
    """Return whether a model has seen each patient: nullable boolean by name; missing if unknown.

    `samples` has columns patient and patient_seen from `training.seen.mark_seen`. A patient may
    have several rows and is seen if any of them is.
    """
    seen = samples["patient_seen"].astype("boolean").groupby(samples["patient"])
    return seen.any(skipna=False)


def seen_stratum(seen: Any) -> str:
    """Return `seen`, `unseen` or `unknown` for a value of patient_seen, with any missing value."""
    if pd.isna(seen):
        return "unknown"
    return "seen" if seen else "unseen"


def count_seen(samples: pd.DataFrame) -> dict[str, int]:
    """Count seen and unknown patients, by `seen_patients`: n_patients_seen, n_patients_unknown."""
    seen = seen_patients(samples)
    return {"n_patients_seen": int(seen.sum()), "n_patients_unknown": int(seen.isna().sum())}


def words_of_seen(patients: int, seen: int, unknown: int) -> str:
    """Describe how many patients were seen in pretraining."""
    words = f"{seen} of {patients} patients seen in pretraining"
    return f"{words}, {unknown} unknown" if unknown else words


def patients_seen(samples: pd.DataFrame) -> str:
    """Describe how many patients of `samples` (from `training.seen.mark_seen`) were seen."""
    return words_of_seen(samples["patient"].nunique(), *count_seen(samples).values())
