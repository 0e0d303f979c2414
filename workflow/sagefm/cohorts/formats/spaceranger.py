"""The `outs/` folder of any version of Space Ranger, or its files gathered in one folder."""

from pathlib import Path
from typing import TYPE_CHECKING

from sagefm.cohorts.formats.base import (
    MATRIX_NAMES,
    POSITION_FILES,
    Choice,
    matrix_prefix,
    position_files,
    positions_with,
)
from sagefm.cohorts.formats.mtx import files as matrix_files
from sagefm.cohorts.formats.mtx import read as read_matrix
from sagefm.cohorts.formats.tenx_h5 import REFUSED
from sagefm.cohorts.formats.tenx_h5 import read as read_h5
from sagefm.cohorts.images import BESIDE_POSITIONS
from sagefm.common.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

HELP = (
    "an `outs/` folder of Space Ranger 1 to 4, or a bin size of Visium HD "
    "(`binned_outputs/square_008um`): `filtered_` or `raw_feature_bc_matrix` as `.h5` or folder, "
    "with `spatial/`; or one section's prefixed files (`GSM..._`) in a folder"
)

POSITIONS = "in the folder: `tissue_positions_list.csv`, `tissue_positions.csv` or `.parquet`"

EXAMPLES = {
    "Space Ranger 1 to 4": {"path_or_id": "sections/d/outs"},
    "Visium HD": {
        "path_or_id": "sections/d/outs/binned_outputs/square_008um",
        "technology": "Visium HD",
    },
    "one section's files of GEO in a folder": {"path_or_id": "sections/GSM6339631"},
}

CHOICES = ("library",)

IMAGES = (BESIDE_POSITIONS,)


NO_MATRIX = (*REFUSED, "molecule_info", ".h5ad")
"""Parts of the names of other HDF5 files in such a folder."""


def fits(path: Path) -> bool:
    """Whether a folder has a matrix, and `spatial/` or a position file."""
    if not path.is_dir() or (path / "binned_outputs").is_dir():
        return False
    if path.name == "spatial" and not any(path.glob("*matrix*")):
        return False
    return ((path / "spatial").is_dir() or bool(position_files(path))) and not _is_segmented(path)


def files(path: Path) -> dict[str, Path]:
    """Return the matrix: `filtered` before `raw`, and HDF5, which is read faster, before a folder.

    Raises
    ------
    InputError
        If the path is not a folder, or has no matrix or several.
    """
    if not path.is_dir():
        raise InputError(
            f"{path}: is a file, but a section of format `spaceranger` is a folder. Fix: correct "
            "its `format` or its path."
        )
    matrix = find_matrix(path)
    return matrix_files(matrix) if matrix.is_dir() or "mtx" in matrix.name else {"counts": matrix}


def positions(path: Path) -> Path | None:
    """Return the position file of the matrix.

    Raises
    ------
    InputError
        If there is no such file.
    """
    found = positions_with(path, matrix_prefix(find_matrix(path).name))
    if found is None and (inner := sorted(path.glob("spatial/*/*tissue_positions*"))):
        raise InputError(
            f"{path}: holds {len(inner)} sections ({', '.join(one.parent.name for one in inner)}). "
            "Fix: give the outs/ of each section, not those of `spaceranger aggr`."
        )
    if found is None:
        raise InputError(
            f"{path / 'spatial'}: has no {' or '.join(POSITION_FILES)}. Fix: complete the folder."
        )
    return found


def find_matrix(path: Path) -> Path:
    """Return the matrix of a folder: an `.h5`, a folder of three files, or a prefixed `matrix.mtx`.

    Raises
    ------
    InputError
        If there is none, or there are several of equal rank.
    """
    for name in MATRIX_NAMES:
        for pattern in (f"{name}.h5", f"{name}.h5.gz", name, f"*{name}.h5", f"*{name}.h5.gz"):
            if found := _only(path, pattern):
                return found
    if found := _only(path, "*matrix.mtx*"):
        return found
    others = [one for one in path.glob("*.h5*") if not any(mark in one.name for mark in NO_MATRIX)]
    if len(others) == 1:
        return others[0]
    raise InputError(
        f"{path}: has no {MATRIX_NAMES[0]}.h5 and no folder {MATRIX_NAMES[0]}. Fix: complete the "
        "folder."
    )


def _only(path: Path, pattern: str) -> Path | None:
    found = sorted(path.glob(pattern))
    if len(found) > 1:
        raise InputError(
            f"{path}: holds {len(found)} sections ({', '.join(one.name for one in found[:4])}). "
            "Fix: give one of these files in place of the folder."
        )
    return found[0] if found else None


def _is_segmented(path: Path) -> bool:
    """Whether the folder holds segmented cells of Visium HD instead of spots."""
    return any(path.glob("filtered_feature_cell_matrix*"))


def read(files: dict[str, Path], choice: Choice) -> "AnnData":
    """Read the gene expression only, with `gene_ids`."""
    return read_matrix(files, choice) if "matrix" in files else read_h5(files, choice)
