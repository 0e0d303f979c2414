"""Read sections of any format into the same kind of AnnData, with the source's own genes."""

import re
from pathlib import Path

import anndata
import pandas as pd

from sagefm.cohorts.counts import raw_counts
from sagefm.cohorts.formats.base import Choice
from sagefm.cohorts.formats.registry import AUTO, find_section, load_format, read_files
from sagefm.cohorts.gene_names import ENSEMBL
from sagefm.cohorts.positions import (
    attach_positions,
    check_spatial,
    read_positions,
    source_coordinates,
    standard_obs,
)
from sagefm.cohorts.several import FIX, PICK, check_names
from sagefm.cohorts.spot_columns import barcode_share
from sagefm.common.errors import InputError

SYMBOL_COLUMNS = (
    *("genesymbols", "genesymbol", "genename", "genenames", "featurename", "hgncsymbol"),
    *("geneshortname", "externalgenename", "symbol", "symbols", "genes", "gene", "features"),
    *("feature", "name", "names"),
)
"""Columns with symbols in sources whose var_names are ids or numbers, the most specific first; in
lower case, without `_`, `.`, `-` and white space."""

ID_COLUMNS = ("geneids", "geneid", "ensemblids", "ensemblid", "ensembl", "featureid")
"""Columns with Ensembl ids, written in the same way."""

FEATURE_TYPES = ("featuretypes", "featuretype", "modality", "type")
"""Columns that distinguish genes from proteins, written in the same way: names used by scanpy, 10x
and muon."""

GENES = frozenset({"gene expression", "gene", "genes", "gex", "rna", "mrna"})
OTHERS = frozenset(
    (
        *("antibody capture", "antibody", "protein", "proteins", "prot", "adt", "hto", "custom"),
        *("protein expression", "crispr guide capture", "multiplexing capture", "peaks", "atac"),
    )
)
"""Words for features that are genes, and for other features, in lower case."""


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
        One of `formats.registry.names`; `auto` detects it by the name and content of `path`.
    positions
        Table of positions, see `positions.read_positions`. It replaces the section's own, and is
        needed if the section has none.
    choice
        Which matrix and section to read from a file that holds several.

    Returns
    -------
    AnnData
        `X` csr int32 (spots x genes), raw counts, indices sorted, no explicit zeros. `obs` indexed
        by barcode, with `in_tissue` (0/1), `array_row`, `array_col` if the source has them. `var`
        indexed by the source's gene names, with repeated ones unchanged, and with `gene_ids`
        (Ensembl) and `gene_symbols` if the source has them. `obsm['spatial']` float64 (spots, 2), x
        and y in full-resolution pixels. `uns['reader']` is the format. Images are not included.

    Raises
    ------
    InputError
        For anything that cannot be used as raw counts with coordinates. The message names the file
        and the fix.
    """
    path = Path(path)
    fmt, files = find_section(path, fmt, positions)
    source = read_files(fmt, files, choice)
    try:
        source = gene_expression(source)
        require_spots_by_genes(source)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if not source.obs_names.is_unique:
        repeated = source.obs_names[source.obs_names.duplicated()][0]
        raise InputError(
            f"{path}: barcode `{repeated}` occurs more than once. Fix: give every spot its own "
            "name, or its section, if the file holds several, as `library`."
        )
    try:
        by_column = "library_key" in load_format(fmt).CHOICES
        check_names(source.obs, FIX if by_column else PICK)
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
    """Keep only the genes if a source distinguishes them from other features, such as proteins.

    Raises
    ------
    InputError
        If it says that no feature is a gene.
    """
    for column in _columns_named(source.var, FEATURE_TYPES):
        words = source.var[column].astype(str).str.strip().str.lower()
        genes = words.isin(GENES).to_numpy()
        if not (genes | words.isin(OTHERS)).all() and str(column).lower() in ("type", "modality"):
            continue  # a column of something else, such as biotypes
        if len(words) and words.isin(OTHERS).all():
            raise InputError(
                f"its features are not genes (`{source.var[column].iloc[0]}` in column `{column}` "
                "of var). Fix: give the matrix of gene expression."
            )
        return source if genes.all() or not genes.any() else source[:, genes].copy()
    return source


def require_spots_by_genes(source: anndata.AnnData) -> None:
    """Raise an InputError if a matrix's columns are named like spots and its rows are not."""
    if barcode_share(source.var_names) > 0.5 > barcode_share(source.obs_names):
        raise InputError(
            f"its columns are named as spots (`{source.var_names[0]}`) and its rows are not "
            f"(`{source.obs_names[0]}`). Fix: transpose it, so that spots are rows."
        )


def standard_var(source: pd.DataFrame) -> pd.DataFrame:
    """Return `gene_ids` and `gene_symbols` of a source's table of genes, as strings."""
    var = pd.DataFrame(index=source.index.astype(str).str.strip().rename(None))
    for column in _columns_named(source, ID_COLUMNS):
        var["gene_ids"] = source[column].astype(str).str.strip().to_numpy()
        break
    for column in _columns_named(source, SYMBOL_COLUMNS):
        symbols = source[column].astype(str).str.strip()
        if not symbols.str.match(ENSEMBL).mean() > 0.5:
            var["gene_symbols"] = symbols.to_numpy()
            break
    return var


def _columns_named(table: pd.DataFrame, names: tuple[str, ...]) -> list[object]:
    """Return columns of a table with one of the names, in the order of the names."""
    known = {re.sub(r"[\s_.-]", "", str(name)).lower(): name for name in reversed(table.columns)}
    return [known[name] for name in names if name in known]
