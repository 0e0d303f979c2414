"""Who a patient is: a name counts within its data set, and a sample without one is its own.

Every table, split, test and figure asks here, so that all count the same patients. Whether a model
has seen the patient of a sample is answered by `training.seen.mark_seen`.
"""

from typing import Any

import pandas as pd

from sagefm.common.keys import named, trimmed


def is_named(samples: pd.DataFrame) -> pd.Series:
    """Whether the sheet names the patient of each sample: bool, from text column patient."""
    return _names(samples) != ""


def _names(samples: pd.DataFrame) -> pd.Series:
    """Names of patients, empty where there is none."""
    return samples["patient"].fillna("").map(named)


def patient_keys(samples: pd.DataFrame) -> pd.Series:
    """The patient of each sample, the same in every table of every cohort.

    Parameters
    ----------
    samples
        Text columns cohort, sample, dataset, patient (empty where unnamed).

    Returns
    -------
    Series
        `dataset:patient`, or `cohort/sample` where the patient is not named.
    """
    own = samples["cohort"] + "/" + samples["sample"]
    named = samples["dataset"].map(trimmed) + ":" + _names(samples)
    return named.where(is_named(samples), own)


def name_patients(samples: pd.DataFrame) -> pd.Series:
    """A short name for each sample's patient that no other patient of the table has.

    Parameters
    ----------
    samples
        Text columns sample, dataset, patient (empty where unnamed), of one table: a cohort's sheet,
        or the spots of its samples.

    Returns
    -------
    Series
        The patient's name, or the sample's where the patient is not named, followed by ` (sample)`
        if a patient has that name; with its data set before it (`dataset:name`) where patients of
        several data sets have that name.
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
    """Groups of which those that share a section are one, under the least of their names.

    Parameters
    ----------
    groups
        str, such as a patient.
    samples
        Text columns cohort, sample: the sample that each row of `groups` is of.
    duplicates
        Columns sample, duplicate_of: sections known to be the same tissue, as `sample` of any
        cohort or as `cohort/sample`.
    """
    if duplicates is not None:
        own = samples["cohort"] + "/" + samples["sample"]
        for pair in zip(duplicates["sample"], duplicates["duplicate_of"], strict=True):
            joined = groups[samples["sample"].isin(pair) | own.isin(pair)].unique()
            groups = groups.mask(groups.isin(joined), min(joined, default=""))
    return groups


def seen_patients(samples: pd.DataFrame) -> pd.Series:
    """Whether a model has seen each patient: nullable boolean by name, missing where unknown.

    `samples` has columns patient and patient_seen, of `training.seen.mark_seen`; a patient may have
    several rows, and is seen if any of them says so.
    """
    seen = samples["patient_seen"].astype("boolean").groupby(samples["patient"])
    return seen.any(skipna=False)


def seen_stratum(seen: Any) -> str:
    """`seen`, `unseen` or `unknown`: a value of patient_seen, whatever it is missing as."""
    if pd.isna(seen):
        return "unknown"
    return "seen" if seen else "unseen"


def count_seen(samples: pd.DataFrame) -> dict[str, int]:
    """Of `seen_patients`, how many are: n_patients_seen, n_patients_unknown."""
    seen = seen_patients(samples)
    return {"n_patients_seen": int(seen.sum()), "n_patients_unknown": int(seen.isna().sum())}


def words_of_seen(patients: int, seen: int, unknown: int) -> str:
    """How many patients pretraining has seen, for people."""
    words = f"{seen} of {patients} patients seen in pretraining"
    return f"{words}, {unknown} unknown" if unknown else words


def patients_seen(samples: pd.DataFrame) -> str:
    """`words_of_seen`, of samples of `training.seen.mark_seen`."""
    return words_of_seen(samples["patient"].nunique(), *count_seen(samples).values())
