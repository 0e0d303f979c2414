"""Join the labels of a table to the spots of a section or of a cohort's sections."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import pandas as pd

from sagefm.common.elements import frame_in
from sagefm.common.errors import InputError
from sagefm.common.keys import check_case, named_values, trimmed

ARRAY = ("array_row", "array_col")
"""Columns that can identify a spot, in addition to its name."""

LEAST = 0.5
"""Minimum share of a sample's labels that match its spots; below it, they belong to another
section."""


def cohort_labels(
    samples: Sequence[Path], table: pd.DataFrame, cohort: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join the labels of a table to a cohort's harmonised samples.

    Parameters
    ----------
    samples
        Files of the samples; the file's name is the sample's name in the table.
    table
        As for `join_labels`.
    cohort
        Name of the cohort, for errors.

    Returns
    -------
    labels : DataFrame
        sample, spot, label for spots that have one.
    matched : DataFrame
        sample, labels_matched: share of the listed labels that match a spot of the source,
        including removed spots; missing if the table does not name the sample.

    Raises
    ------
    InputError
        As for `join_labels`. The message begins with cohort and sample.
    """
    labels, shares = [], []
    for path in samples:
        spots, kept = read_spots(path)
        try:
            joined = join_labels(spots, table, path.stem)
        except InputError as error:
            raise InputError(f"cohort {cohort}, sample {path.stem}: {error}") from error
        own = joined.iloc[:kept].dropna()
        labels.append(pd.DataFrame({"sample": path.stem, "spot": own.index, "label": [*own]}))
        listed = len(labels_of_sample(table, path.stem))
        shares.append(float(joined.count() / listed) if listed else None)
    classes = {str(name) for own in labels for name in own["label"]}
    check_case(sorted(classes), f"cohort {cohort}: labels")
    names = [path.stem for path in samples]
    matched = pd.DataFrame({"sample": names, "labels_matched": shares})
    return pd.concat(labels, ignore_index=True), matched


def read_spots(path: Path) -> tuple[pd.DataFrame, int]:
    """Read all spots of a sample's source by name and array position, kept spots first.

    Also returns the number of kept spots.
    """
    with h5py.File(path) as file:
        kept = frame_in(file["obs"], ARRAY)
        uns = file["uns"]
        removed = [frame_in(uns["removed_spots"], ARRAY)] if "removed_spots" in uns else []
    return pd.concat([kept, *removed]), len(kept)


def join_labels(obs: pd.DataFrame, table: pd.DataFrame, sample: str) -> pd.Series:
    """Return the label of each spot of a sample (categorical; missing if the table has none).

    Parameters
    ----------
    obs
        Spots of the sample's source, including those that quality control removed.
    table
        Columns `sample`, `spot`, `label`. A spot is identified by its name, by its name without the
        suffix `-1`, or as `{array_row}x{array_col}`. The form that matches most labels is used for
        the whole sample. If several tie, the first is used, so that a name like `12x7` is not read
        as a position.
    sample
        Name of the sample in the table. A sample that the table does not name has no labels.

    Raises
    ------
    InputError
        If the table lacks a column or names a spot twice, or if less than `LEAST` of a sample's
        labels match its spots.
    """
    missing = {"sample", "spot", "label"} - set(table.columns)
    if missing:
        raise InputError(
            f"the label table has no column {', '.join(sorted(missing))}. Fix: add it."
        )
    rows = labels_of_sample(table, sample)
    names = pd.Series(obs.index.astype(str), index=obs.index)
    spots, keys = rows["spot"], [names]
    if not names.isin(spots).any():
        spots, keys = spots.str.removesuffix("-1"), [names.str.removesuffix("-1")]
    exchanged = 0
    if {*ARRAY} <= set(obs.columns):
        row, column = (obs[name].astype(str) for name in ARRAY)
        keys.append(row + "x" + column)
        exchanged = int(spots.isin(column + "x" + row).sum())
    if spots.duplicated().any():
        raise InputError(
            f"the label table names spot `{spots[spots.duplicated()].iloc[0]}` of sample {sample} "
            "more than once. Fix: keep one line a spot."
        )
    key = max(keys, key=lambda key: int(key.isin(spots).sum()))
    found = int(spots.isin(key).sum())
    if exchanged > found:
        raise InputError(
            f"{exchanged} of {len(rows)} labels of sample {sample} name one of its spots as array "
            f"column x row, and {found} as row x column. Fix: write them as row x column."
        )
    if found < LEAST * len(rows) or (len(rows) and not found):
        raise InputError(
            f"{found} of {len(rows)} labels of sample {sample} name one of its spots (labels: "
            f"`{spots[~spots.isin(key)].iloc[0]}`, section: `{names.iloc[0]}`). Fix: give the "
            "labels of this section, its spots by barcode or by array row x column."
        )
    values = key.map(rows["label"].set_axis(spots))
    return pd.Series(pd.Categorical(values), index=obs.index, name="label")


def labels_of_sample(table: pd.DataFrame, sample: str) -> pd.DataFrame:
    """Return spots and labels of one sample as trimmed text, without missing ones."""
    mine = table["sample"].map(lambda name: trimmed(str(name))) == trimmed(str(sample))
    return table.loc[mine, ["spot", "label"]].apply(named_values).dropna()
