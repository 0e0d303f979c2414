"""Where the spots lie: position files, array and pixel coordinates, and the checks on both."""

import gzip
import zlib
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from sagefm.common.errors import InputError
from sagefm.common.text import count

# The order of Space Ranger's columns, which its version 1 files leave without a header:
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


def read_positions(path: Path) -> pd.DataFrame:
    """Read a Space Ranger position file, plain or `.gz`, with a header (version 2) or without (1).

    Returns
    -------
    Table of strings indexed by barcode, with the columns of `COLUMNS`; whichever order a header
    has them in.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or repeats a barcode.
    """
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt") as file:
            header = file.readline().split(",")[0].strip().lower() == "barcode"
        table = pd.read_csv(path, header=0 if header else None, dtype=str, skipinitialspace=True)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(
            f"{path}: cannot be read as a table of positions ({error}); fetch the file again."
        ) from error
    if not header and table.shape[1] == len(COLUMNS):
        table.columns = list(COLUMNS)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise InputError(
            f"{path}: has no column {', '.join(missing)}; give Space Ranger's position file, "
            f"comma-separated, with the columns {', '.join(COLUMNS)}."
        )
    table = table.set_index("barcode")
    if not table.index.is_unique:
        repeated = table.index[table.index.duplicated()][0]
        raise InputError(f"{path}: barcode `{repeated}` occurs more than once; keep one line each.")
    return table


def attach_positions(adata: anndata.AnnData, positions: pd.DataFrame, path: Path) -> None:
    """Set `obs` and `obsm['spatial']` from a position table; spots only in the table are ignored.

    Raises
    ------
    InputError
        If any barcode of the matrix has no position.
    """
    found = adata.obs_names.isin(positions.index)
    if not found.all():
        what = (
            f"positions match none of the {adata.n_obs} barcodes"
            if not found.any()
            else f"{(~found).sum()} of {adata.n_obs} barcodes have no position"
        )
        raise InputError(
            f"{path}: {what} (matrix: `{adata.obs_names[~found][0]}`, positions: "
            f"`{next(iter(positions.index), '')}`); give the position file of this very section."
        )
    positions = positions.loc[adata.obs_names]
    adata.obs = standard_obs(positions, path)
    pixels = positions[["pxl_col_in_fullres", "pxl_row_in_fullres"]]
    adata.obsm["spatial"] = pixels.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)


def standard_obs(source: pd.DataFrame, path: Path) -> pd.DataFrame:
    """`in_tissue` (int8, 0 or 1), `array_row` and `array_col` (int32) of a source's table of spots.

    A column is left out where the source does not have it; so are the array coordinates if any of
    them is not a whole number.

    Raises
    ------
    InputError
        If `in_tissue` holds something other than 0/1 or true/false.
    """
    obs = pd.DataFrame(index=source.index.astype(str).rename(None))
    if "in_tissue" in source:
        flags = source["in_tissue"].astype(str).str.lower().map(_FLAGS).to_numpy(np.float64)
        if np.isnan(flags).any():
            raise InputError(f"{path}: `in_tissue` holds other values than 0 and 1; correct it.")
        obs["in_tissue"] = flags.astype(np.int8)
    if {"array_row", "array_col"} <= set(source.columns):
        array = source[["array_row", "array_col"]].astype(str)
        array = array.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
        if np.equal(np.mod(array, 1), 0).all():
            obs["array_row"], obs["array_col"] = array.astype(np.int32).T
    return obs


def check_spatial(adata: anndata.AnnData, path: Path) -> None:
    """Make `obsm['spatial']` float64 (spots, 2) and check it is finite wherever there is tissue.

    Raises
    ------
    InputError
        If it is not numeric, has not two columns, or lacks values for spots in tissue.
    """
    try:
        spatial = np.asarray(adata.obsm["spatial"], dtype=np.float64)
    except (TypeError, ValueError):
        spatial = np.empty(0)
    if spatial.shape != (adata.n_obs, 2):
        raise InputError(
            f"{path}: obsm['spatial'] is not a table of two numbers a spot; store x and y, in "
            "full-resolution pixels."
        )
    lost = ~np.isfinite(spatial).all(axis=1)
    if "in_tissue" in adata.obs:
        lost &= adata.obs["in_tissue"].to_numpy() == 1
    if lost.any():
        raise InputError(
            f"{path}: NaN or missing coordinates in {count(lost.sum(), 'spot')} (the first: "
            f"`{adata.obs_names[lost][0]}`); give each a position or take it out."
        )
    adata.obsm["spatial"] = spatial
