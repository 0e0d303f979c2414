"""Read one section of an AnnData in HDF5 or zarr, and only the parts that are needed."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sagefm.cohorts.formats.base import Choice
from sagefm.cohorts.several import rows_named
from sagefm.cohorts.spot_columns import COORDINATES as SPOT_COLUMNS
from sagefm.common.errors import InputError, hint
from sagefm.common.keys import trimmed

if TYPE_CHECKING:
    from anndata import AnnData

RAW = "raw"
"""Used as a layer's name for the matrix `raw.X`, with its own genes."""

PLACES = frozenset({*SPOT_COLUMNS, "in_tissue"})
"""Columns of `obs` whose numbers are not section names, in lower case."""

COORDINATES = ("spatial", "x_spatial", "spatial_coords", "coords", "coordinates", "xy_loc")
"""Keys of `obsm` with the spots' x and y, in lower case: squidpy's, CELLxGENE Explorer's and
others'."""


def read_group(group: Mapping[str, Any], choice: Choice, place: str | Path) -> "AnnData":
    """Read a section of an open AnnData.

    Only counts, tables of spots and genes, and coordinates are read. Other parts may be unreadable.

    Parameters
    ----------
    group
        h5py or zarr group.
    choice
        Which of several layers or sections to read.
    place
        Name of the AnnData in error messages.

    Returns
    -------
    AnnData
        `X` is the chosen matrix. `obsm['spatial']` is set if there are coordinates.
        `uns['matrices']` names the other matrices, as `layer` does.

    Raises
    ------
    InputError
        If the layer or section does not exist, or there are several sections and none is chosen.
    """
    from anndata import AnnData
    from anndata.io import read_elem

    obs = _table(group["obs"])
    layers = [*group["layers"]] if "layers" in group else []
    matrices = {"X": ("X", "var"), **{name: (f"layers/{name}", "var") for name in layers}}
    if RAW in group:
        matrices[RAW] = ("raw/X", "raw/var")
    wanted = choice.layer or "X"
    if wanted not in matrices:
        raise InputError(
            f"{place}: has no layer `{wanted}`. Fix: correct `layer`; {hint(wanted, matrices)}."
        )
    matrix, var = matrices.pop(wanted)
    rows = section_rows(obs, library_names(group), choice, place)
    adata = AnnData(
        X=read_elem(group[matrix])[rows] if matrix in group else None,
        obs=obs[rows],
        var=_table(group[var]),
        uns={"matrices": [name for name in matrices if matrices[name][0] in group]},
    )
    keys = {key.lower(): key for key in reversed([*group["obsm"]])} if "obsm" in group else {}
    for key in COORDINATES:
        if key in keys:
            spatial = read_elem(group["obsm"][keys[key]])
            if np.shape(spatial)[1:] != (0,):
                adata.obsm["spatial"] = spatial[rows]
                break
    return adata


def library_names(group: Mapping[str, Any]) -> list[str]:
    """Return names of sections for which `uns['spatial']` has images, scale factors or similar."""
    spatial = group.get("uns/spatial", {})
    if not hasattr(spatial, "keys") or {*spatial} & {"images", "scalefactors"}:
        return []
    return [name for name in spatial if hasattr(spatial[name], "keys")]


def section_rows(
    obs: pd.DataFrame, libraries: list[str], choice: Choice, place: str | Path
) -> np.ndarray:
    """Return the rows of the chosen section: bool (spots,).

    Parameters
    ----------
    libraries
        Names of sections in the file in addition to those in a column of `obs`.

    Raises
    ------
    InputError
        If the section does not exist, or there are several and none is chosen.
    """
    key, library = choice.library_key, choice.library
    if key and key not in obs:
        raise InputError(
            f"{place}: obs has no column `{key}`. Fix: correct `library_key`; "
            f"{hint(key, obs.columns)}."
        )
    if not library:
        names = [*pd.unique(obs[key].astype(str))] if key else libraries
        if len(names) > 1:
            raise InputError(
                f"{place}: holds {len(names)} sections ({', '.join(names[:8])}), whose spots are "
                "not neighbours. Fix: name one of them as `library`."
            )
        return np.ones(len(obs), dtype=bool)
    columns = [key] if key else [name for name in obs if str(name).lower() not in PLACES]
    masks = {name: _rows_of(obs[name], library) for name in columns}
    found = {mask.tobytes(): mask for mask in masks.values() if mask.any()}
    if len(found) == 1:
        return next(iter(found.values()))
    if not found and not key and (named := rows_named(obs.index, library)).any():
        return named
    if not found and libraries == [library]:
        return np.ones(len(obs), dtype=bool)
    if found:
        holding = ", ".join(name for name, mask in masks.items() if mask.any())
        raise InputError(
            f"{place}: several columns of obs hold `{library}`, for different spots ({holding}). "
            "Fix: name the one that tells sections apart as `library_key`."
        )
    known = [*pd.unique(obs[key].astype(str))] if key else libraries
    raise InputError(
        f"{place}: has no section `{library}`. Fix: correct `library`"
        + (f"; {hint(library, known)}." if known else ", or name its column as `library_key`.")
    )


def _rows_of(values: pd.Series, library: str) -> np.ndarray:
    """Return where a column names a section: bool (spots,). Names are trimmed, as in a sheet.

    Integers that became floats because of missing values (`1.0`) also match as integers.
    """
    texts = values.astype(str)
    names = [*pd.unique(texts)]
    found = [one for one in names if trimmed(one) == trimmed(library)]
    if not found and values.dtype.kind == "f":
        found = [one for one in names if one.removesuffix(".0") == library]
    return texts.isin(found).to_numpy()


def _table(group: Any) -> pd.DataFrame:
    """Return a table of spots or genes, without any columns that cannot be read."""
    from anndata.io import read_elem

    try:
        return read_elem(group)
    except Exception:
        index = group.attrs["_index"]
        table = pd.DataFrame(index=pd.Index(read_elem(group[index])))
        for name in group:
            try:
                values = read_elem(group[name])
            except Exception:
                continue
            if name != index and np.ndim(values) == 1 and len(values) == len(table):
                table[name] = values
        return table
