"""Suggest what to give instead of a path that is not a section, judged by its content."""

from collections.abc import Callable
from pathlib import Path

from sagefm.cohorts.formats.base import (
    POSITION_FILES,
    TENX_TABLES,
    is_file_named,
    position_files,
)
from sagefm.cohorts.formats.tenx_h5 import CELLS, PROBES

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".zst")
R_OBJECTS = (".rds", ".robj", ".rdata", ".rda", ".qs")
OTHERS = {
    (".xlsx", ".xls", ".xlsm", ".ods"): (
        "is a workbook. Fix: save its counts as text with tabs, in a `.tsv`."
    ),
    (".h5mu",): (
        "is a MuData of several kinds of features. Fix: write its genes alone, as in "
        "`mudata.read(FILE)['rna'].write_h5ad(...)`."
    ),
    (".loom",): "is a loom file. Fix: write it as AnnData (`anndata.io.read_loom`), in a `.h5ad`.",
    (".h5seurat",): (
        "is a Seurat object. Fix: write it as AnnData (`SeuratDisk::Convert`), in a `.h5ad`."
    ),
}
"""Descriptions of other programs' files, by suffix."""


def remedy(path: Path) -> str:
    """Say what the path is, followed by `Fix: ...`; empty if nothing is known about it."""
    return next((said for say in _KINDS if (said := say(path))), "")


def _outs_inside(path: Path) -> str:
    for inner in ("outs", "outs/binned_outputs"):
        if (path / inner).is_dir():
            return f"is the folder above outs/. Fix: give {path / 'outs'}."
    return ""


def _outs_below(path: Path) -> str:
    found = sorted(one for one in path.glob("*/outs") if one.is_dir())
    return f"is a folder of sections. Fix: give one of them, as in {found[0]}." if found else ""


def _spatial(path: Path) -> str:
    if path.name == "spatial" and path.is_dir() and position_files(path):
        return f"has positions and images, but no counts. Fix: give {path.parent}."
    if path.parent.name == "spatial" and path.is_file() and position_files(path.parent):
        return f"is a file beside the positions, without counts. Fix: give {path.parent.parent}."
    return ""


def _part(path: Path) -> str:
    if any(is_file_named(path, name) for name in TENX_TABLES):
        return f"is a part of a 10x matrix. Fix: give its folder, {path.parent}, or its matrix.mtx."
    return ""


def _bins_inside(path: Path) -> str:
    folder = path if path.name == "binned_outputs" else path / "binned_outputs"
    bins = sorted(one for one in folder.glob("square_*") if one.is_dir()) if folder.is_dir() else []
    if not bins:
        return ""
    named = next((one for one in bins if one.name == "square_008um"), bins[-1])
    return f"is Visium HD with bins of several sizes. Fix: give one of them, as in {named}."


def _cells(path: Path) -> str:
    segmented = path.name == "segmented_outputs" or (path / "segmented_outputs").is_dir()
    if segmented or any(path.glob("*feature_cell_matrix*")):
        return CELLS
    return ""


def _probes(path: Path) -> str:
    return PROBES if path.is_dir() and any(path.glob("*probe_bc_matrix*")) else ""


def _several(path: Path) -> str:
    matrices = sorted(path.glob("*matrix.mtx*")) + sorted(path.glob("*_matrix.h5*"))
    others = sorted(path.glob("*.h5ad*")) + sorted(path.glob("*.zarr"))
    found = matrices or others
    if not path.is_dir() or not found:
        return ""
    also = ", with its position file as `positions`" if matrices else ""
    return f"is a folder of sections. Fix: give one of its files, as in {found[0]}{also}."


def _positions(path: Path) -> str:
    if any(is_file_named(path, name) for name in POSITION_FILES):
        return (
            "is a table of positions without counts. Fix: give the matrix or the folder of the "
            "section; this file is then its `positions`."
        )
    return ""


def _archive(path: Path) -> str:
    return (
        "is an archive or a packed file. Fix: unpack it."
        if path.name.lower().endswith(ARCHIVES)
        else ""
    )


def _of_r(path: Path) -> str:
    if path.suffix.lower() in R_OBJECTS:
        return (
            "is an object of R. Fix: save its counts and coordinates from R, for example as a "
            "matrix.mtx with a table of positions."
        )
    return ""


def _of_others(path: Path) -> str:
    return next((said for ends, said in OTHERS.items() if path.suffix.lower() in ends), "")


_KINDS: tuple[Callable[[Path], str], ...] = (
    *(_outs_inside, _bins_inside, _cells, _positions, _probes, _spatial, _part, _several),
    *(_outs_below, _archive, _of_r, _of_others),
)
