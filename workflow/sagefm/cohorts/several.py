"""Detect several sections in one file by names, columns and places of spots.

Spots of different sections are not neighbours, so one graph over all of them would be wrong.
"""

import re

import numpy as np
import pandas as pd

from sagefm.cohorts.spot_columns import ARRAY
from sagefm.common.errors import InputError

COLUMNS = frozenset(
    (
        *("library", "sample", "section", "slice", "slide", "batch", "origident", "capturearea"),
        *("patient", "donor", "subject", "individual", "specimen", "replicate", "dataset", "mouse"),
    )
)
"""Columns of `obs` that name a spot's section or donor, as in scanpy, squidpy and Seurat; in lower
case, without the parts that `_AROUND` finds."""

_AROUND = re.compile(r"[\s_.-]|id$|name$|number$")

FEWEST = 15
"""Minimum number of spots for a group to count as a section: the paper's neighbourhood."""

SHARED = 0.05
"""Maximum share of spots at the place of another: rounding causes 2% on an array of 2012."""

_CORES = (re.compile(r"[ACGT]{14,}"), re.compile(r"\d+x\d+"))
"""Patterns that distinguish spots of one section: a barcode, or array positions."""

FIX = (
    "Fix: give each section a file of its own; or name the section as `library`, and the column of "
    "obs that tells them apart, if there is one, as `library_key`."
)


PICK = "Fix: give each section a file of its own, or name one of these as `library`."
"""The fix if only the names of spots distinguish the sections."""


def check_names(obs: pd.DataFrame, fix: str = FIX) -> None:
    """Check that names and columns of spots belong to one section.

    Parameters
    ----------
    obs
        Spots by name, with all columns of the source.
    fix
        The fix recommended in the error message.

    Raises
    ------
    InputError
        If a column names several sections, or names differ by what merging adds to barcodes.
    """
    for column in obs.columns:
        if _AROUND.sub("", str(column).lower()) in COLUMNS and (
            found := _large(obs[column].astype(str))
        ):
            raise _several(found, f"column `{column}` of obs", fix)
    if found := _affixes(obs.index.astype(str)):
        raise _several(found, "what the names of spots have before and behind the barcode", fix)


def check_places(obs: pd.DataFrame, spatial: np.ndarray, fix: str = FIX) -> None:
    """Check that each spot has a separate place, on the array and in the image.

    Parameters
    ----------
    obs
        Table of spots, with array_row and array_col if the source has them.
    spatial
        float (spots, 2), full-resolution pixels.
    fix
        See `check_names`.

    Raises
    ------
    InputError
        If more than `SHARED` of them do not.
    """
    if len(spatial) > 1 and (spatial == spatial[:1]).all():
        raise InputError(
            "all its spots have the same coordinates. Fix: give each its x and y, in "
            "full-resolution pixels."
        )
    if {*ARRAY} <= set(obs.columns):
        shared = obs.duplicated([*ARRAY], keep=False).to_numpy()
        _check_shared(shared, "place on the array (array_row, array_col)", fix)
    _check_shared(pd.DataFrame(spatial).duplicated(keep=False).to_numpy(), "position", fix)


def rows_named(names: pd.Index, library: str) -> np.ndarray:
    """Return rows of spots whose names contain a section's own text: bool (spots,).

    Parameters
    ----------
    library
        Text in the names before and after the barcode, as in the error of `check_names`, with or
        without the `*` and adjacent punctuation: `2`, `-2` or `*-2`.
    """
    affixes = _all_affixes(names.astype(str))
    if affixes is None:
        return np.zeros(len(names), dtype=bool)
    chosen = [one for one in affixes.unique() if library in (one, one.replace("*", ""))]
    bare = [one for one in affixes.unique() if _EDGES.sub("", one) == _EDGES.sub("", library)]
    found = chosen or bare
    return affixes.isin(found if len(found) == 1 else []).to_numpy()


_EDGES = re.compile(r"[^0-9A-Za-z]")


def _large(values: pd.Series) -> list[str]:
    """Return values with at least `FEWEST` spots each, if there are several."""
    sizes = values.value_counts()
    found = sorted(sizes.index[sizes >= FEWEST])
    return found if len(found) > 1 else []


def _affixes(names: pd.Index) -> list[str]:
    """Return the texts around the barcodes of spots, if they differ between sections."""
    affixes = _all_affixes(names)
    return [] if affixes is None else _large(affixes)


def _all_affixes(names: pd.Index) -> pd.Series | None:
    """Replace the barcode or place in each name by `*`; return None if a name has neither."""
    for core in _CORES:
        parts = [found for name in names if (found := core.search(name))]
        if len(parts) == len(names):
            rest = [f"{part.string[: part.start()]}*{part.string[part.end() :]}" for part in parts]
            return pd.Series(rest, dtype=str)
    return None


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
