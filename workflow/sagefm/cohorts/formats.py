"""Formats of sections: which one a path is of, and which files make it; nothing is opened."""

from pathlib import Path

from sagefm.common.errors import InputError

FORMATS = ("auto", "hest", "spaceranger", "tenx_h5", "mtx", "h5ad")


def find_section(
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
