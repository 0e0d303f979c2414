"""Readers of spatial sections: every format becomes the same AnnData, in the source's own genes."""

import warnings
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from sagefm.cohorts.counts import raw_counts
from sagefm.cohorts.formats.registry import AUTO, find_section, load_format
from sagefm.cohorts.positions import attach_positions, check_spatial, read_positions, standard_obs
from sagefm.common.errors import InputError

# Names under which sources keep a gene's symbol when var_names hold its Ensembl id.
SYMBOL_COLUMNS = ("gene_symbols", "gene_symbol", "gene_name", "feature_name")


def read_source(
    path: str | Path, fmt: str = AUTO, positions: str | Path | None = None
) -> anndata.AnnData:
    """Read one section.

    Parameters
    ----------
    path
        File or folder of the section.
    fmt
        One of `formats.registry.names`; `auto` finds it out by the name and content of `path`.
    positions
        Position file in Space Ranger's layout, `.csv` or `.csv.gz`; it replaces the section's own
        positions. Needed where the format has none.

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
    with warnings.catch_warnings():
        # Repeated symbols are settled by `panel.harmonise`, which counts them.
        warnings.filterwarnings("ignore", message=".*names are not unique")
        source = load_format(fmt).read(files)
    if not source.obs_names.is_unique:
        repeated = source.obs_names[source.obs_names.duplicated()][0]
        raise InputError(
            f"{path}: barcode `{repeated}` occurs more than once; give every spot its own name."
        )
    if 0 in source.shape:
        raise InputError(
            f"{path}: holds {source.n_obs} spots and {source.n_vars} gene expression features; "
            "give a section with both."
        )
    elsewhere = [f"layers['{key}']" for key in source.layers]
    if source.raw is not None:
        elsewhere.append("raw.X")
    where = f" (perhaps in its {' or '.join(elsewhere)})" if elsewhere else ""
    adata = anndata.AnnData(
        X=raw_counts(source.X, f"{path}: X", f"store the raw counts{where} as X."),
        obs=standard_obs(source.obs, path),
        var=standard_var(source.var),
        uns={"reader": fmt},
    )
    if "positions" in files:
        attach_positions(adata, read_positions(files["positions"]), files["positions"])
    elif "spatial" in source.obsm:
        adata.obsm["spatial"] = np.asarray(source.obsm["spatial"])
    else:
        raise InputError(
            f"{path}: has no obsm['spatial']; put the spots' x and y pixels there, or name a "
            "position file as its `positions`."
        )
    check_spatial(adata, files.get("positions", path))
    return adata


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
