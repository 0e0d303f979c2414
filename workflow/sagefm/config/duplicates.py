"""The user's table of sections that are known to be the same tissue."""

from pathlib import Path

import pandas as pd

from sagefm.common.errors import InputError
from sagefm.common.io import read_table
from sagefm.common.keys import named_values

PAIR = ["sample", "duplicate_of"]


def read_duplicates(path: str | Path) -> pd.DataFrame:
    """Read pairs of samples that are one section.

    Returns
    -------
    DataFrame
        Text columns sample and duplicate_of, with trimmed names, and the table's other columns.

    Raises
    ------
    InputError
        If the table cannot be read, lacks a column or a name, or pairs a sample with itself.
    """
    try:
        table = read_table(path, dtype=str)
    except InputError:
        raise
    except (OSError, ValueError) as error:  # pandas' own errors
        raise InputError(
            f"{path} cannot be read as a table ({error}). Fix: give one with the columns "
            f"{', '.join(PAIR)}."
        ) from error
    if missing := [name for name in PAIR if name not in table.columns]:
        raise InputError(
            f"{path} has no column `{missing[0]}` (it has {', '.join(table.columns)}). Fix: add "
            "it, or correct the path."
        )
    table[PAIR] = table[PAIR].apply(named_values)
    table = table.dropna(subset=PAIR, how="all")
    bad = table[PAIR].isna().any(axis=1) | (table["sample"] == table["duplicate_of"])
    if bad.any():
        pair = " and ".join(f"`{name}`" for name in table.loc[bad, PAIR].iloc[0].dropna().unique())
        raise InputError(
            f"{path} has a line that names only {pair}, but a line names two samples of one "
            "section. Fix: name both."
        )
    return table.reset_index(drop=True)
