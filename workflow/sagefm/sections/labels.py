"""Labels of a table joined to the spots of a section, and of a cohort's sections."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import pandas as pd
from anndata.io import read_elem

from sagefm.common.errors import InputError


def cohort_labels(
    samples: Sequence[Path], table: pd.DataFrame, cohort: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels of a table joined to a cohort's harmonised samples.

    Parameters
    ----------
    samples
        Their files; the file's name is the sample's in the table.
    table
        As for `join_labels`.
    cohort
        The cohort's name, for errors.

    Returns
    -------
    labels : DataFrame
        sample, spot, label of the spots that have one.
    matched : DataFrame
        sample, labels_matched: the share of the labels listed that match a spot of the source,
        removed spots among them; missing where the table does not name the sample.

    Raises
    ------
    InputError
        As `join_labels`; the sentence begins with cohort and sample.
    """
    labels, shares = [], []
    for path in samples:
        with h5py.File(path) as file:
            kept = read_elem(file["obs"])
            uns = file["uns"]
            removed = [read_elem(uns["removed_spots"])] if "removed_spots" in uns else []
        try:
            joined = join_labels(pd.concat([kept, *removed]), table, path.stem)
        except InputError as error:
            raise InputError(f"cohort {cohort}, sample {path.stem}: {error}") from error
        own = joined.iloc[: len(kept)].dropna()
        labels.append(pd.DataFrame({"sample": path.stem, "spot": own.index, "label": [*own]}))
        listed = len(labels_of_sample(table, path.stem))
        shares.append(float(joined.count() / listed) if listed else None)
    names = [path.stem for path in samples]
    matched = pd.DataFrame({"sample": names, "labels_matched": shares})
    return pd.concat(labels, ignore_index=True), matched


def join_labels(obs: pd.DataFrame, table: pd.DataFrame, sample: str) -> pd.Series:
    """Label of each spot of a sample (categorical; missing where the table names none).

    Parameters
    ----------
    obs
        The sample's spots.
    table
        Columns `sample`, `spot`, `label`. A spot goes by its name, by its name without the suffix
        `-1`, or as `{array_row}x{array_col}`: the first of these that matches any spot is used for
        the whole sample, so that a name which itself looks like `12x7` is never read as a position.
    sample
        The sample's name in the table. One that the table does not name has no labels.

    Raises
    ------
    InputError
        If the table lacks a column, names a spot twice, or names no spot of a sample it lists.
    """
    missing = {"sample", "spot", "label"} - set(table.columns)
    if missing:
        raise InputError(f"the label table has no column {', '.join(sorted(missing))}; add it.")
    rows = labels_of_sample(table, sample)
    names = pd.Series(obs.index.astype(str), index=obs.index)
    spots, keys = rows["spot"], [names]
    if not names.isin(spots).any():
        spots, keys = spots.str.removesuffix("-1"), [names.str.removesuffix("-1")]
        if {"array_row", "array_col"} <= set(obs.columns):
            keys.append(obs["array_row"].astype(str) + "x" + obs["array_col"].astype(str))
    if spots.duplicated().any():
        raise InputError(
            f"the label table names spot `{spots[spots.duplicated()].iloc[0]}` of sample {sample} "
            "more than once; keep one line a spot."
        )
    key = next((key for key in keys if key.isin(spots).any()), None)
    if key is None and len(rows):
        raise InputError(
            f"the label table matches no spot of sample {sample} (labels: `{spots.iloc[0]}`, "
            f"section: `{names.iloc[0]}`); name spots by barcode or by array row x column."
        )
    values = (names if key is None else key).map(rows["label"].set_axis(spots))
    return pd.Series(pd.Categorical(values), index=obs.index, name="label")


def labels_of_sample(table: pd.DataFrame, sample: str) -> pd.DataFrame:
    """Spots and labels of one sample as strings, whose name may have been read as a number."""
    mine = table["sample"].astype(str) == str(sample)
    return table.loc[mine, ["spot", "label"]].dropna().astype(str)
