"""An AnnData file."""

from pathlib import Path
from typing import TYPE_CHECKING

from sagefm.cohorts.formats.base import is_file_named, reading, require_file
from sagefm.cohorts.images import BESIDE_POSITIONS, IN_ANNDATA

if TYPE_CHECKING:
    from anndata import AnnData

HELP = "any AnnData with raw counts in `X` and `obsm['spatial']` (x, y in full-resolution pixels)"

POSITIONS = "in the file"

EXAMPLE = {"path_or_id": "sections/a.h5ad"}

IMAGES = (IN_ANNDATA, BESIDE_POSITIONS)


def fits(path: Path) -> bool:
    """By its suffix."""
    return is_file_named(path, ".h5ad")


def files(path: Path) -> dict[str, Path]:
    """The file itself."""
    require_file(path, "h5ad")
    return {"counts": path}


def positions(path: Path) -> Path | None:
    """None: `obsm['spatial']` has them."""
    return None


def read(files: dict[str, Path]) -> "AnnData":
    """The AnnData as it is."""
    from anndata import read_h5ad

    with reading(files["counts"], "h5ad"):
        return read_h5ad(files["counts"])
