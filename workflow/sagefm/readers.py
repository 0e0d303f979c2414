"""Readers of spatial sections: every format becomes the same AnnData, in the source's own genes."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scipy.io
import scipy.sparse as sp

from sagefm.errors import InputError
from sagefm.positions import attach_positions, check_spatial, read_positions, standard_obs

FORMATS = ("auto", "hest", "spaceranger", "tenx_h5", "mtx", "h5ad")

# Names under which sources keep a gene's symbol when var_names hold its Ensembl id.
SYMBOL_COLUMNS = ("gene_symbols", "gene_symbol", "gene_name", "feature_name")


def read_section(
    path: str | Path, fmt: str = "auto", positions: str | Path | None = None
) -> anndata.AnnData:
    """Read one section.

    Parameters
    ----------
    path
        File or folder of the section, see `locate`.
    fmt
        One of `FORMATS`; `auto` tells by the name and content of `path`.
    positions
        Position file in Space Ranger's layout, `.csv` or `.csv.gz`. Needed for `tenx_h5` and `mtx`;
        elsewhere it replaces the section's own positions.

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
    fmt, files = locate(path, fmt, positions)
    with warnings.catch_warnings():
        # Repeated symbols are settled by `panel.harmonise`, which counts them.
        warnings.filterwarnings("ignore", message=".*names are not unique")
        source = _read_mtx(files) if "matrix" in files else _read_file(files["counts"], fmt)
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
    adata = anndata.AnnData(
        X=_raw_counts(source.X, path, elsewhere),
        obs=standard_obs(source.obs, path),
        var=_standard_var(source.var),
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


def locate(
    path: str | Path, fmt: str = "auto", positions: str | Path | None = None
) -> tuple[str, dict[str, Path]]:
    """Format of a section and the files that make it, by role; nothing is opened.

    - `h5ad`, `hest`: one AnnData file with raw counts in `X` and `obsm['spatial']`.
    - `spaceranger`: an `outs/` folder with `filtered_feature_bc_matrix.h5` (or the folder of that
      name) and `spatial/tissue_positions.csv` or `spatial/tissue_positions_list.csv`.
    - `tenx_h5`: a 10x `.h5` file, with `positions`, or with Space Ranger's `spatial/` beside it.
    - `mtx`: a folder of `matrix.mtx`, `features.tsv` or `genes.tsv`, and `barcodes.tsv`, or one
      `{prefix}matrix.mtx` with the others beside it under the same prefix; positions likewise.

    Tables and matrices may be plain or `.gz`.

    Returns
    -------
    format, files : the format, never `auto`, and the paths under `counts` or under `matrix`,
        `features` and `barcodes`, and under `positions` where there is such a file.

    Raises
    ------
    InputError
        If the format is unknown or a file is missing.
    """
    path = Path(path)
    if fmt not in FORMATS:
        raise InputError(f"{path}: format `{fmt}` is unknown; use one of {', '.join(FORMATS)}.")
    if not path.exists():
        raise InputError(
            f"{path}: no such file or folder; correct its path, a sheet's `path_or_id`."
        )
    if fmt == "auto":
        fmt = _guess_format(path)
    if fmt != "mtx" and path.is_dir() != (fmt == "spaceranger"):
        raise InputError(
            f"{path}: is a {'folder' if path.is_dir() else 'file'}, which a section of format "
            f"`{fmt}` is not; correct `format` or `path_or_id` in the sheet."
        )
    if fmt == "spaceranger":
        # A complete outs/ has both; the HDF5 file is the faster to read.
        folder = path / "filtered_feature_bc_matrix"
        if folder.is_dir() and not folder.with_suffix(".h5").is_file():
            files = _mtx_files(folder)
        else:
            files = {"counts": _first(path, "filtered_feature_bc_matrix.h5")}
        beside = path / "spatial"
    else:
        files = _mtx_files(path) if fmt == "mtx" else {"counts": path}
        beside = path.parent / "spatial"
    # A matrix may be named by itself where it lies, in an outs/ folder.
    if not positions and (fmt == "spaceranger" or (fmt in ("tenx_h5", "mtx") and beside.is_dir())):
        positions = _first(beside, "tissue_positions.csv", "tissue_positions_list.csv")
    if positions:
        files["positions"] = Path(positions)
        if not files["positions"].is_file():
            raise InputError(f"{positions}: no such file; correct the path of `positions`.")
    elif fmt in ("tenx_h5", "mtx"):
        raise InputError(
            f"{path}: a 10x matrix has no coordinates of its own, and no spatial/ lies beside it; "
            "name the section's tissue_positions file as its `positions`."
        )
    return fmt, files


def _guess_format(path: Path) -> str:
    """Format by the name of a file or the content of a folder."""
    name = path.name.removesuffix(".gz")
    if path.is_dir():
        if (path / "spatial").is_dir():
            return "spaceranger"
        if any(path.glob("matrix.mtx*")):
            return "mtx"
    for suffix, fmt in ((".h5ad", "h5ad"), (".h5", "tenx_h5"), ("matrix.mtx", "mtx")):
        if path.is_file() and name.endswith(suffix):
            return fmt
    raise InputError(
        f"{path}: not a format this workflow reads; give an .h5ad, a 10x .h5, a folder with "
        "matrix.mtx, or a Space Ranger outs/ folder with spatial/ in it."
    )


def _first(folder: Path, *names: str) -> Path:
    """Find the first of some files that exists in a folder, plain before `.gz`."""
    for name in names:
        for candidate in (folder / name, folder / f"{name}.gz"):
            if candidate.is_file():
                return candidate
    raise InputError(f"{folder}: has no {' or '.join(names)}; complete the folder.")


def _mtx_files(path: Path) -> dict[str, Path]:
    """Find the three files of a matrix from their folder or from the matrix itself."""
    folder, prefix = (
        (path, "") if path.is_dir() else (path.parent, path.name.split("matrix.mtx")[0])
    )
    return {
        "matrix": _first(folder, f"{prefix}matrix.mtx") if path.is_dir() else path,
        "features": _first(folder, f"{prefix}features.tsv", f"{prefix}genes.tsv"),
        "barcodes": _first(folder, f"{prefix}barcodes.tsv"),
    }


@contextmanager
def _reading(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a library raises on a damaged file into one sentence."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"{path}: cannot be read as {kind}, perhaps truncated ({reason}); fetch or make the "
            "file again."
        ) from error


def _read_file(path: Path, fmt: str) -> anndata.AnnData:
    """Read an h5ad or a 10x HDF5 file, gene expression only."""
    if fmt in ("hest", "h5ad"):
        with _reading(path, "h5ad"):
            return anndata.read_h5ad(path)
    from scanpy import read_10x_h5  # seconds to import; the other formats do without it

    with _reading(path, "10x HDF5"):
        return read_10x_h5(path, gex_only=True)


def _read_mtx(files: dict[str, Path]) -> anndata.AnnData:
    """Read a 10x Matrix Market triple, gene expression only.

    `scanpy.read_10x_mtx` insists on plain `genes.tsv` or gzipped `features.tsv`; deposits mix them.
    """
    with _reading(files["matrix"], "Matrix Market"):
        matrix = sp.csr_matrix(scipy.io.mmread(files["matrix"]).T)
    tables = {}
    for role, length in zip(("barcodes", "features"), matrix.shape, strict=True):
        with _reading(files[role], "a table"):
            tables[role] = pd.read_csv(
                files[role], sep="\t", header=None, dtype=str, keep_default_na=False
            )
        if len(tables[role]) != length:
            raise InputError(
                f"{files[role]}: has {len(tables[role])} lines, but {files['matrix']} has {length} "
                f"{role}; take all three files from one folder."
            )
    features = tables["features"]
    var = pd.DataFrame({"gene_ids": features[0].to_numpy()}, index=features.get(1, features[0]))
    obs = pd.DataFrame(index=tables["barcodes"][0])
    adata = anndata.AnnData(X=matrix, obs=obs, var=var)
    return adata[:, (features[2] == "Gene Expression").to_numpy()] if 2 in features else adata


def _standard_var(source: pd.DataFrame) -> pd.DataFrame:
    """`gene_ids` and `gene_symbols`, as strings, of a source's table of genes."""
    var = pd.DataFrame(index=source.index.astype(str).rename(None))
    if "gene_ids" in source:
        var["gene_ids"] = source["gene_ids"].astype(str).to_numpy()
    for name in SYMBOL_COLUMNS:
        if name in source:
            var["gene_symbols"] = source[name].astype(str).to_numpy()
            break
    return var


def _raw_counts(matrix, path: Path, elsewhere: list[str]) -> sp.csr_matrix:
    """Make csr int32 of counts, sorted, no explicit zeros; InputError if they are no counts."""
    counts = sp.csr_matrix((0, 0)) if matrix is None else sp.csr_matrix(matrix)
    what = None
    if matrix is None or counts.dtype.kind not in "iuf":
        what = "holds no numbers"
    elif not np.isfinite(counts.data).all():
        what = "holds NaN or infinite values"
    elif (counts.data < 0).any():
        what = "holds negative values"
    elif np.mod(counts.data, 1).any():
        what = "holds values that are not integers"
    elif (counts.data > np.iinfo(np.int32).max).any():
        what = "holds counts too large for 32 bits"
    if what:
        hint = f" (perhaps in its {' or '.join(elsewhere)})" if elsewhere else ""
        raise InputError(f"{path}: X {what}; store the raw counts{hint} as X.")
    counts = counts.astype(np.int32)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    return counts
