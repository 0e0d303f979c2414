"""Prepare any AnnData for a model: counts on the model's genes, and neighbourhoods."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from sagefm.cohorts.arrangement import array_of, check_arrangement
from sagefm.cohorts.counts import raw_counts
from sagefm.cohorts.panel import harmonise_by
from sagefm.cohorts.positions import (
    check_spatial,
    dense_coordinates,
    standard_obs,
)
from sagefm.cohorts.qc import count_shared_positions
from sagefm.cohorts.readers import gene_expression, standard_var
from sagefm.cohorts.several import check_names
from sagefm.common.errors import InputError, hint
from sagefm.common.h5ad import write_h5ad
from sagefm.graphs.neighbourhoods import build_graph, save_graph
from sagefm.networks.recipe import ModelRecipe
from sagefm.sections.section import Section, spot_positions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """Options that say how to read an AnnData; `api.embed` describes each."""

    layer: str | None = None
    library_key: str | None = None
    technology: str | None = None
    min_overlap: float | None = None


@contextmanager
def prepared_sections(
    adata: AnnData, recipe: ModelRecipe, source: Source
) -> Iterator[list[tuple[Section, np.ndarray]]]:
    """Write each section of an AnnData to temporary files, and yield the sections with their rows.

    The files are deleted when the context ends.

    Raises
    ------
    InputError
        If counts, coordinates or genes cannot be used. The message names their place.
    """
    parts = section_rows(adata, source.library_key)
    with tempfile.TemporaryDirectory(prefix="sagefm-") as folder:
        sections = []
        for number, (name, rows) in enumerate(parts.items()):
            files = Path(folder, f"{number}.h5ad"), Path(folder, f"{number}.npz")
            try:
                sample = _harmonised(adata, rows, recipe, source)
                write_section(sample, *files, recipe, _technology(adata, source))
            except InputError as error:
                place = f"section {name}: " if source.library_key else ""
                raise InputError(f"{place}{error}") from error
            sections.append((Section("", str(name), *files), rows))
        yield sections


def section_rows(adata: AnnData, library_key: str | None) -> dict[str, np.ndarray]:
    """Row indices of each section of an AnnData, by section name.

    Raises
    ------
    InputError
        If the column does not exist or lacks values, or if several sections have no `library_key`.
    """
    if library_key is None:
        libraries = [*adata.uns.get("spatial", {})]
        if len(libraries) > 1:
            raise InputError(
                f"the AnnData holds {len(libraries)} sections (uns['spatial']: "
                f"{', '.join(libraries)}), whose spots are not neighbours. Fix: name the column of "
                "obs that tells them apart, as `library_key`."
            )
        return {"": np.arange(adata.n_obs)}
    column = column_of(adata, library_key, "library_key")
    if column.isna().any():
        raise InputError(
            f"obs['{library_key}'] is missing for {column.isna().sum()} of {adata.n_obs} spots. "
            "Fix: give each spot its section, or leave these out."
        )
    names = column.astype(str).to_numpy()
    return {name: np.flatnonzero(names == name) for name in pd.unique(names)}


def column_of(adata: AnnData, key: str, argument: str) -> pd.Series:
    """Return a column of `obs`; `argument` is the option that named it.

    Raises
    ------
    InputError
        If the column does not exist.
    """
    if key not in adata.obs:
        raise InputError(
            f"obs has no column `{key}`. Fix: correct `{argument}`; {hint(key, adata.obs.columns)}"
        )
    return adata.obs[key]


def matrix_of(adata: AnnData, layer: str | None) -> tuple[Any, str]:
    """Return the counts matrix (`X` if no layer is named) and its name for error messages.

    Raises
    ------
    InputError
        If the layer does not exist.
    """
    if layer is None:
        return adata.X, "X"
    if layer not in adata.layers:
        raise InputError(
            f"there is no layers['{layer}']. Fix: correct `layer`; {hint(layer, adata.layers)}"
        )
    return adata.layers[layer], f"layers['{layer}']"


def spatial_of(adata: AnnData) -> Any:
    """Return x and y of each spot, from `obsm["spatial"]`, as an array.

    Raises
    ------
    InputError
        If they are missing.
    """
    if "spatial" not in adata.obsm:
        raise InputError(
            "obsm['spatial'] is missing. Fix: put x and y of each spot there, in full-resolution "
            "pixels."
        )
    return dense_coordinates(adata.obsm["spatial"])


def write_section(
    sample: AnnData, counts: Path, graph: Path, recipe: ModelRecipe, technology: str
) -> None:
    """Write a sample on a model's genes, and its graph, in the files of a run's format."""
    write_h5ad(sample, counts)
    at, array = spot_positions(counts)
    save_graph(build_graph(at, **recipe.graph, array=array, technology=technology), graph)


def _harmonised(adata: AnnData, rows: np.ndarray, recipe: ModelRecipe, source: Source) -> AnnData:
    """Map the given rows of an AnnData to the model's genes, without removing any spot."""
    matrix, name = matrix_of(adata, source.layer)
    spatial = spatial_of(adata)
    fix = "Fix: give the raw counts in X, or name the layer that holds them, as `layer`."
    obs = standard_obs(adata.obs.iloc[rows], Path("obs"))
    own = AnnData(
        X=raw_counts(None if matrix is None else matrix[rows], name, fix),
        obs=obs.drop(columns="in_tissue", errors="ignore"),
        var=adata.var.copy(),
        obsm={"spatial": spatial[rows]},
    )
    own = gene_expression(own)
    own.var = standard_var(own.var)
    check_spatial(own, Path("AnnData"))
    shared = count_shared_positions(own.obsm["spatial"])
    if shared > own.n_obs / 2:
        raise InputError(
            f"{shared} of {own.n_obs} spots share their position with another spot. Fix: if these "
            "are several sections, name the column of obs that tells them apart, as `library_key`."
        )
    fix = "Fix: name the column of obs that tells them apart, as `library_key`."
    note = check_arrangement(own.obsm["spatial"], array_of(own.obs), fix) if own.n_obs > 2 else ""
    if note:
        log.warning("%s", note)
    if source.library_key is None:
        try:
            check_names(adata.obs, fix)
        except InputError as error:
            raise InputError(f"the AnnData {error}") from error
    settings = dict(recipe.harmonise)
    if source.min_overlap is not None:
        settings["min_overlap"] = source.min_overlap
    return harmonise_by(own, recipe.panel, settings)[0]


def _technology(adata: AnnData, source: Source) -> str:
    """The technology as given, or as stored by `api.read`."""
    if source.technology is not None:
        return source.technology
    return str(adata.uns.get("provenance", {}).get("technology", ""))
