"""Readers of spatial sections: every format becomes the same AnnData, in the source's own genes."""

from pathlib import Path

import anndata
import pandas as pd

from sagefm.cohorts.counts import raw_counts
from sagefm.cohorts.formats.base import Choice
from sagefm.cohorts.formats.registry import AUTO, find_section, read_files
from sagefm.cohorts.positions import (
    attach_positions,
    check_spatial,
    read_positions,
    source_coordinates,
    standard_obs,
)
from sagefm.cohorts.several import check_names
from sagefm.common.errors import InputError

# Names under which sources keep a gene's symbol when var_names hold its Ensembl id.
SYMBOL_COLUMNS = ("gene_symbols", "gene_symbol", "gene_name", "feature_name")


FEATURE_TYPES = ("feature_types", "feature_type")
"""Columns in which sources tell genes from proteins; names of scanpy and of 10x."""

GENES = "Gene Expression"


def read_source(
    path: str | Path,
    fmt: str = AUTO,
    positions: str | Path | None = None,
    choice: Choice = Choice(),  # noqa: B008 (frozen)
) -> anndata.AnnData:
    """Read one section.

    Parameters
    ----------
    path
        File or folder of the section.
    fmt
        One of `formats.registry.names`; `auto` finds it out by the name and content of `path`.
    positions
        Table of positions, see `positions.read_positions`; it replaces the section's own. Needed
        where the section has none.
    choice
        Which matrix and which section of a file that holds several.

    Returns
    -------
    AnnData
        `X` csr int32 (spots x genes), raw counts, indices sorted, no explicit zeros. `obs` indexed
        by barcode, with `in_tissue` (0/1), `array_row`, `array_col` where the source has them.
        `var` indexed by the source's gene names, repeated ones left as they are, with `gene_ids`
        (Ensembl) and `gene_symbols` where the source has them. `obsm['spatial']` float64
        (spots, 2), x and y in full-resolution pixels. `uns['reader']` is the format. Images are
        dropped.

    Raises
    ------
    InputError
        For anything that cannot be used as raw counts with coordinates; the sentence names the file
        and the remedy.
    """
    path = Path(path)
    fmt, files = find_section(path, fmt, positions)
    source = gene_expression(read_files(fmt, files, choice))
    if not source.obs_names.is_unique:
        repeated = source.obs_names[source.obs_names.duplicated()][0]
        raise InputError(
            f"{path}: barcode `{repeated}` occurs more than once. Fix: give every spot its own "
            "name, or its section, if the file holds several, as `library`."
        )
    try:
        check_names(source.obs)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if 0 in source.shape:
        raise InputError(
            f"{path}: holds {source.n_obs} spots and {source.n_vars} gene expression features. "
            "Fix: give a section with both."
        )
    others = [f"`{name}`" for name in source.uns.get("matrices", [])]
    fix = f"Fix: name the matrix with raw counts as `layer` ({', '.join(others)})."
    matrix = f"layer `{choice.layer}`" if choice.layer else "X"
    adata = anndata.AnnData(
        X=raw_counts(
            source.X, f"{path}: {matrix}", fix if others else "Fix: store the raw counts as X."
        ),
        obs=standard_obs(source.obs, path),
        var=standard_var(source.var),
        uns={"reader": fmt},
    )
    if "positions" in files:
        attach_positions(adata, read_positions(files["positions"]), files["positions"])
    else:
        adata.obsm["spatial"] = source_coordinates(source, path)
    check_spatial(adata, files.get("positions", path))
    return adata


def gene_expression(source: anndata.AnnData) -> anndata.AnnData:
    """Genes alone, where a source says which of its features are: proteins are left out."""
    for name in FEATURE_TYPES:
        if name in source.var:
            genes = (source.var[name].astype(str) == GENES).to_numpy()
            return source if genes.all() or not genes.any() else source[:, genes].copy()
    return source


def standard_var(source: pd.DataFrame) -> pd.DataFrame:
    """`gene_ids` and `gene_symbols`, as strings, of a source's table of genes."""
    var = pd.DataFrame(index=source.index.astype(str).rename(None))
    if "gene_ids" in source:
        var["gene_ids"] = source["gene_ids"].astype(str).to_numpy()
    for name in SYMBOL_COLUMNS:
        if name in source:
            var["gene_symbols"] = source[name].astype(str).to_numpy()
            break
    return var
