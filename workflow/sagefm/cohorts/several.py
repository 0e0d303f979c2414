"""Several sections in what was given as one: found by the names, columns and places of its spots.

Spots of different sections are not neighbours, so that one graph over all of them is wrong.
"""

import re

import numpy as np
import pandas as pd

from sagefm.cohorts.spot_columns import ARRAY
from sagefm.common.errors import InputError

COLUMNS = frozenset(
    (
        *("library", "library_id", "sample", "sample_id", "sample_name", "section", "section_id"),
        *("slice", "slice_id", "slide", "slide_id", "batch", "orig.ident"),
    )
)
"""Columns of `obs`, in lower case, that name a spot's section: those of scanpy, squidpy, Seurat."""

FEWEST = 15
"""Spots of the smallest section that counts as one: the paper's neighbourhood."""

SHARED = 0.05
"""Share of spots that may lie where another lies: rounding leaves 2% of an array of 2012 so."""

_CORES = (re.compile(r"[ACGT]{14,}"), re.compile(r"\d+x\d+"))
"""What tells spots of one section apart: a barcode, or array positions."""

FIX = (
    "Fix: give each section a file of its own; or name the section as `library`, and the column of "
    "obs that tells them apart as `library_key`."
)


def check_names(obs: pd.DataFrame, fix: str = FIX) -> None:
    """Check that names and columns of spots are those of one section.

    Parameters
    ----------
    obs
        Spots by name, with all columns of the source.
    fix
        The remedy in the sentence of the error.

    Raises
    ------
    InputError
        If a column names several sections, or names differ by what merging adds to barcodes.
    """
    for column in obs.columns:
        if str(column).lower() in COLUMNS and (found := _large(obs[column].astype(str))):
            raise _several(found, f"column `{column}` of obs", fix)
    if found := _affixes(obs.index.astype(str)):
        raise _several(found, "what the names of spots have before and behind the barcode", fix)


def check_places(obs: pd.DataFrame, spatial: np.ndarray, fix: str = FIX) -> None:
    """Check that each spot has a place of its own, on the array and in the image.

    Parameters
    ----------
    obs
        Spots, with array_row and array_col where the source has them.
    spatial
        float (spots, 2), full-resolution pixels.
    fix
        See `check_names`.

    Raises
    ------
    InputError
        If more than `SHARED` of them do not.
    """
    if {*ARRAY} <= set(obs.columns):
        shared = obs.duplicated([*ARRAY], keep=False).to_numpy()
        _check_shared(shared, "place on the array (array_row, array_col)", fix)
    _check_shared(pd.DataFrame(spatial).duplicated(keep=False).to_numpy(), "position", fix)


def _large(values: pd.Series) -> list[str]:
    """Values of at least `FEWEST` spots each, if there are several."""
    sizes = values.value_counts()
    found = sorted(sizes.index[sizes >= FEWEST])
    return found if len(found) > 1 else []


def _affixes(names: pd.Index) -> list[str]:
    """What stands before and behind the barcode of spots, where that differs between sections."""
    for core in _CORES:
        parts = [found for name in names if (found := core.search(name))]
        if len(parts) == len(names):
            rest = [f"{part.string[: part.start()]}*{part.string[part.end() :]}" for part in parts]
            return _large(pd.Series(rest, dtype=str))
    return []


def _check_shared(shared: np.ndarray, what: str, fix: str) -> None:
    if shared.sum() > max(SHARED * len(shared), 2):
        raise InputError(
            f"{shared.sum()} of {len(shared)} spots share their {what} with another spot, as spots "
            f"of several sections do. {fix}"
        )


def _several(found: list[str], where: str, fix: str) -> InputError:
    names = ", ".join(f"`{name}`" for name in found[:4]) + ", ..." * (len(found) > 4)
    return InputError(
        f"holds {len(found)} sections, whose spots are not neighbours ({where}: {names}). {fix}"
    )
