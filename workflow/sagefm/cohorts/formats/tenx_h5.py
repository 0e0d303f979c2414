"""A matrix of 10x Genomics in one HDF5 file."""

from pathlib import Path
from typing import TYPE_CHECKING

from sagefm.cohorts.formats.base import is_file_named, positions_beside, reading, require_file
from sagefm.cohorts.images import BESIDE_POSITIONS

if TYPE_CHECKING:
    from anndata import AnnData

HELP = "a `filtered_feature_bc_matrix.h5`"

POSITIONS = "column `positions`, csv or csv.gz, or `spatial/` beside it"

EXAMPLE = {"path_or_id": "sections/b.h5", "positions": "sections/b_positions.csv"}

IMAGES = (BESIDE_POSITIONS,)


def fits(path: Path) -> bool:
    """By its suffix."""
    return is_file_named(path, ".h5")


def files(path: Path) -> dict[str, Path]:
    """The file itself."""
    require_file(path, "tenx_h5")
    return {"counts": path}


def positions(path: Path) -> Path | None:
    """Space Ranger's position file, if the matrix is still in its folder."""
    return positions_beside(path)


def read(files: dict[str, Path]) -> "AnnData":
    """Gene expression only, with `gene_ids`."""
    from scanpy import read_10x_h5  # seconds to import; the other formats do without it

    with reading(files["counts"], "10x HDF5"):
        return read_10x_h5(files["counts"], gex_only=True)
