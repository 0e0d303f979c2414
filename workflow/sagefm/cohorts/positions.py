"""Positions of spots: position files, array and pixel coordinates, and checks of both."""

import re
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from sagefm.cohorts.belonging import check_belongs
from sagefm.cohorts.opening import reading
from sagefm.cohorts.spot_columns import (
    ARRAY,
    BARCODE,
    PIXELS,
    positions_in_names,
    standard_columns,
)
from sagefm.cohorts.text_tables import find_layout, read_text_table
from sagefm.common.errors import InputError
from sagefm.common.text import count
from sagefm.graphs.arrays import plane_of

# The order of Space Ranger's columns; version 1 files have no header:
# https://support.10xgenomics.com/spatial-gene-expression/software/pipelines/latest/output/spatial
COLUMNS = (
    "barcode",
    "in_tissue",
    "array_row",
    "array_col",
    "pxl_row_in_fullres",
    "pxl_col_in_fullres",
)

_FLAGS = {"1": 1, "1.0": 1, "true": 1, "0": 0, "0.0": 0, "false": 0}
_SUFFIX = re.compile(r"[-.]\d+$")
_CORE = re.compile(r"[ACGTN]{14,}", re.IGNORECASE)


def read_positions(path: Path) -> pd.DataFrame:
    """Read a table of positions: a text file, plain or `.gz`, or Space Ranger's `.parquet`.

    Columns are found by name, in any order; see `spot_columns.ALIASES`. Six columns without a
    header are read as those of Space Ranger, version 1.

    Returns
    -------
    Table of strings indexed by barcode, with those columns of `COLUMNS` that the file has: pixels,
    array positions or both.

    Raises
    ------
    InputError
        If the file cannot be read, lacks barcodes or coordinates, or repeats a barcode.
    """
    if path.suffix == ".parquet":
        with reading(path, "a table of positions"):
            table = pd.read_parquet(path).reset_index(names="").astype(str)
    else:
        layout = find_layout(path)
        (table,) = read_text_table(path, layout, dtype=str)
        if not layout.names and layout.width != len(COLUMNS):
            raise InputError(
                f"{path}: has {layout.width} columns without names. Fix: name them in a first "
                "line, as in `barcode,x,y`."
            )
        table.columns = list(layout.names or COLUMNS)
        if layout.comma:
            table = table.apply(lambda column: column.str.replace(",", "."))
    named = standard_columns(table)
    if BARCODE not in named or not any({*pair} <= {*named} for pair in (PIXELS, ARRAY)):
        raise InputError(
            f"{path}: has no column of barcodes, or none of coordinates (its columns are "
            f"{', '.join(map(str, table.columns[:8]))}). Fix: name them as in `barcode,x,y`, or as "
            f"Space Ranger does ({', '.join(COLUMNS)})."
        )
    named = named.set_index(named.pop(BARCODE).astype(str).str.strip(" \t'\""))
    if not named.index.is_unique:
        repeated = named.index[named.index.duplicated()][0]
        raise InputError(
            f"{path}: barcode `{repeated}` occurs more than once. Fix: keep one line each."
        )
    return named


def attach_positions(adata: anndata.AnnData, positions: pd.DataFrame, path: Path) -> None:
    """Set `obs` and `obsm['spatial']` from a position table; spots only in the table are ignored.

    Raises
    ------
    InputError
        If any barcode of the matrix has no position.
    """
    rows = match_barcodes(adata.obs_names, positions.index)
    lost = rows < 0
    if lost.any():
        what = (
            f"positions match none of the {adata.n_obs} barcodes"
            if lost.all()
            else f"{lost.sum()} of {adata.n_obs} barcodes have no position"
        )
        raise InputError(
            f"{path}: {what} (matrix: `{adata.obs_names[lost][0]}`, positions: "
            f"`{next(iter(positions.index), '')}`). Fix: give the position file of this "
            "section."
        )
    own = positions.iloc[rows].set_axis(adata.obs_names)
    adata.obs = standard_obs(own, path)
    check_belongs(adata, positions.drop(index=positions.index[rows]), path)
    adata.obsm["spatial"] = coordinates_of(own)


def match_barcodes(names: pd.Index, known: pd.Index) -> np.ndarray:
    """Return the row of each name among known ones, -1 if it is missing: int64 (names,).

    If some are not found, suffixes such as `-1` on either side are ignored, unless this makes two
    names equal. If none is found, the text around the barcodes of one side is ignored. That
    requires it to be the same for all names of that side, and the other side to have none.
    """
    rows = known.get_indexer(names)
    if (rows >= 0).all():
        return rows
    short, other = (pd.Index([_SUFFIX.sub("", name) for name in index]) for index in (names, known))
    if not (short.is_unique and other.is_unique):
        return rows
    found = other.get_indexer(short)
    return _match_cores(short, other) if (found < 0).all() else found


def _match_cores(names: pd.Index, known: pd.Index) -> np.ndarray:
    """Match by barcode alone, if at most one side has other text around it."""
    sides = []
    for index in (names, known):
        cores = [found for name in index if (found := _CORE.search(name))]
        beside = {(core.string[: core.start()], core.string[core.end() :]) for core in cores}
        sides.append((pd.Index([core.group().upper() for core in cores]), beside))
    (short, here), (other, there) = sides
    if len(short) < len(names) or len(here) != 1 or ("", "") not in here | there:
        return np.full(len(names), -1)
    if len(other) < len(known) or len(there) != 1 or not (short.is_unique and other.is_unique):
        return np.full(len(names), -1)
    return other.get_indexer(short)


def coordinates_of(table: pd.DataFrame) -> np.ndarray | None:
    """Return x and y (float64, spots x 2) of a table with the columns of `standard_columns`.

    Pixels if it has them, otherwise the array's steps; NaN where a value is not a number. None if
    it has neither.
    """
    for columns in (PIXELS, ARRAY):
        if {*columns} <= {*table}:
            values = table[[*columns]].astype(str).apply(pd.to_numeric, errors="coerce")
            found = values.to_numpy(np.float64)
            return found if columns == PIXELS else plane_of(found)
    return None


def standard_obs(source: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return `in_tissue` (int8, 0 or 1), `array_row`, `array_col` (int32) of a source's spot table.

    Columns that the source lacks are left out, as are array coordinates if any is not an integer.
    If only the spots' names contain array positions, these are used.

    Raises
    ------
    InputError
        If `in_tissue` holds values other than 0/1 or true/false.
    """
    obs = pd.DataFrame(index=source.index.astype(str).str.strip().rename(None))
    if "in_tissue" in source:
        flags = (
            source["in_tissue"].astype(str).str.strip().str.lower().map(_FLAGS).to_numpy(np.float64)
        )
        if np.isnan(flags).any():
            raise InputError(
                f"{path}: `in_tissue` holds other values than 0 and 1. Fix: correct it."
            )
        obs["in_tissue"] = flags.astype(np.int8)
    named = standard_columns(source)
    if {*ARRAY} <= {*named}:
        table = named[[*ARRAY]].astype(str).apply(pd.to_numeric, errors="coerce")
        array: np.ndarray | None = table.to_numpy(np.float64)
    else:
        array = positions_in_names(obs.index)
    if array is not None and np.equal(np.mod(array, 1), 0).all():
        obs["array_row"], obs["array_col"] = array.astype(np.int32).T
    return obs


def source_coordinates(source: anndata.AnnData, path: Path) -> np.ndarray:
    """Return x and y of a source without a position file: from `obsm`, `obs` or names of spots.

    Returns
    -------
    ndarray
        As in `obsm['spatial']`, in full-resolution pixels; in steps of the array if only array
        positions are known.

    Raises
    ------
    InputError
        If it has no coordinates.
    """
    if "spatial" in source.obsm:
        return dense_coordinates(source.obsm["spatial"])
    found = coordinates_of(standard_columns(source.obs))
    if found is None:
        array = positions_in_names(source.obs_names)
        found = None if array is None else plane_of(array)
    if found is None:
        raise InputError(
            f"{path}: has no obsm['spatial'], and no columns x and y of its spots. Fix: put the "
            "spots' x and y pixels there, or name a position file as its `positions`."
        )
    return found


def dense_coordinates(spatial: object) -> np.ndarray:
    """Return `obsm['spatial']` as an array: columns x and y of a table, or all of a matrix."""
    if isinstance(spatial, pd.DataFrame):
        named = coordinates_of(standard_columns(spatial))
        if named is not None:
            return named
        spatial = spatial.to_numpy()
    array = spatial.toarray() if hasattr(spatial, "toarray") else np.asarray(spatial)
    if array.ndim == 2 and array.shape[1] == 3:
        first, _, depth = (array == array[:1]).T
        if depth.all() and not first.all():
            return array[:, :2]
    return array


def check_spatial(adata: anndata.AnnData, path: Path) -> None:
    """Convert `obsm['spatial']` to float64 (spots, 2) and check that it is finite within tissue.

    Raises
    ------
    InputError
        If it is not numeric, does not have two columns, or lacks values for spots in tissue.
    """
    try:
        spatial = np.asarray(adata.obsm["spatial"], dtype=np.float64)
    except (TypeError, ValueError):
        spatial = np.empty(0)
    if spatial.shape != (adata.n_obs, 2):
        raise InputError(
            f"{path}: obsm['spatial'] is not a table of two numbers a spot. Fix: store x and y, in "
            "full-resolution pixels."
        )
    lost = ~np.isfinite(spatial).all(axis=1)
    if "in_tissue" in adata.obs:
        lost &= adata.obs["in_tissue"].to_numpy() == 1
    if lost.any():
        raise InputError(
            f"{path}: NaN or missing coordinates in {count(lost.sum(), 'spot')} (the first: "
            f"`{adata.obs_names[lost][0]}`). Fix: give each a position, as plain numbers, or take "
            "it out."
        )
    adata.obsm["spatial"] = spatial
