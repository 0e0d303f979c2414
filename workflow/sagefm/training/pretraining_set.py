"""Samples, patients and spots that a model is trained on, counted from the sheets: claim 1."""

import pandas as pd

from sagefm.stats.patients import is_named, patient_keys
from sagefm.training.split import PARTS


def organs_table(
    samples: pd.DataFrame, split: pd.DataFrame, duplicates: pd.DataFrame
) -> pd.DataFrame:
    """Count samples, patients and spots per organ; organs with most samples first.

    Parameters
    ----------
    samples
        Sheet rows: cohort, sample, dataset, patient, organ, expected_spots (empty where unknown).
    split
        Result of `split.split_samples` on the same samples.
    duplicates
        Result of `known_duplicates`.

    Returns
    -------
    DataFrame
        Columns organ, n_samples, n_duplicates (deposited twice), n_datasets, n_groups (of the
        split: patients, and samples without one), n_named_patients, n_without_patient,
        expected_spots (from the sheets; missing if a row has none), and numbers of samples in
        train, validation and test.
    """
    table = samples.merge(split[["cohort", "sample", "group", "part"]], on=["cohort", "sample"])
    table = table.assign(
        person=patient_keys(table).where(is_named(table)),
        spots=pd.to_numeric(table["expected_spots"]),
        duplicate=table["sample"].isin(duplicates["sample"]),
    )
    organs = table.groupby("organ")
    counted = pd.DataFrame(
        {
            "n_samples": organs.size(),
            "n_duplicates": organs["duplicate"].sum(),
            "n_datasets": organs["dataset"].nunique(),
            "n_groups": organs["group"].nunique(),
            "n_named_patients": organs["person"].nunique(),
            "n_without_patient": organs["person"].agg(lambda person: person.isna().sum()),
            "expected_spots": organs["spots"].agg(lambda spots: spots.sum(skipna=False)),
        }
    ).astype({"expected_spots": "Int64"})
    parts = pd.crosstab(table["organ"], table["part"]).reindex(columns=PARTS, fill_value=0)
    counted = counted.join(parts).reset_index()
    return counted.sort_values(["n_samples", "organ"], ascending=[False, True], ignore_index=True)


def known_duplicates(samples: pd.DataFrame, duplicates: pd.DataFrame | None) -> pd.DataFrame:
    """Return the known duplicates in which both sections are among the samples, with their organ.

    Returns
    -------
    DataFrame
        Columns sample, duplicate_of, evidence, organ; no rows if no table is given.
    """
    columns = ["sample", "duplicate_of", "evidence", "organ"]
    if duplicates is None:
        return pd.DataFrame(columns=columns)
    there = duplicates["sample"].isin(samples["sample"])
    there &= duplicates["duplicate_of"].isin(samples["sample"])
    organ = samples.drop_duplicates("sample").set_index("sample")["organ"]
    pairs = duplicates[there].assign(organ=lambda pairs: pairs["sample"].map(organ))
    return pairs.reindex(columns=columns).reset_index(drop=True)
