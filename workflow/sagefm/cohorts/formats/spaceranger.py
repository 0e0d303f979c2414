"""The `outs/` folder of Space Ranger, of version 1 or 2."""

from pathlib import Path
from typing import TYPE_CHECKING

from sagefm.cohorts.formats.base import POSITION_FILES, first
from sagefm.cohorts.formats.mtx import files as matrix_files
from sagefm.cohorts.formats.mtx import read as read_matrix
from sagefm.cohorts.formats.tenx_h5 import read as read_h5
from sagefm.cohorts.images import BESIDE_POSITIONS
from sagefm.common.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

HELP = (
    "an `outs/` folder with `spatial/` in it, of version 1 (`tissue_positions_list.csv`, no "
    "header) or 2 (`tissue_positions.csv`, header)"
)

POSITIONS = "in the folder"

EXAMPLE = {"path_or_id": "sections/d/outs"}

IMAGES = (BESIDE_POSITIONS,)

MATRIX = "filtered_feature_bc_matrix"


def fits(path: Path) -> bool:
    """A folder with `spatial/` in it."""
    return (path / "spatial").is_dir()


def files(path: Path) -> dict[str, Path]:
    """The matrix: a complete `outs/` has it twice, of which the HDF5 file is the faster to read.

    Raises
    ------
    InputError
        If the path is not a folder, or has no matrix.
    """
    if not path.is_dir():
        raise InputError(
            f"{path}: is a file, but a section of format `spaceranger` is a folder. Fix: correct "
            "its `format` or its path."
        )
    if (path / MATRIX).is_dir() and not (path / f"{MATRIX}.h5").is_file():
        return matrix_files(path / MATRIX)
    return {"counts": first(path, f"{MATRIX}.h5")}


def positions(path: Path) -> Path | None:
    """The position file in `spatial/`."""
    return first(path / "spatial", *POSITION_FILES)


def read(files: dict[str, Path]) -> "AnnData":
    """Gene expression only, with `gene_ids`."""
    return read_matrix(files) if "matrix" in files else read_h5(files)
