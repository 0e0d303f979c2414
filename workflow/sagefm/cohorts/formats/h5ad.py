"""An AnnData file."""

from pathlib import Path
from typing import TYPE_CHECKING

from sagefm.cohorts.formats.anndata_group import read_group
from sagefm.cohorts.formats.base import Choice, is_file_named, require_file
from sagefm.cohorts.images import BESIDE_POSITIONS, IN_ANNDATA
from sagefm.cohorts.opening import open_h5
from sagefm.common.errors import InputError

if TYPE_CHECKING:
    import h5py
    from anndata import AnnData

HELP = (
    "an AnnData `.h5ad`, plain or `.gz`: raw counts in `X`, or in the matrix that `layer` names; "
    "of several sections the one that `library` names"
)

POSITIONS = (
    "`obsm['spatial']` (x, y in full-resolution pixels); else columns of `obs` (`x`, `y`, or as in "
    "a position file), or spots named `10x13`"
)

EXAMPLES = {
    "an AnnData": {"path_or_id": "sections/a.h5ad"},
    "counts in a layer": {"path_or_id": "sections/a.h5ad", "layer": "counts"},
    "counts in `raw`": {"path_or_id": "sections/a.h5ad", "layer": "raw"},
    "one section of several": {"path_or_id": "sections/all.h5ad", "library": "a"},
    "the same, named in two columns of `obs`": {
        "path_or_id": "sections/all.h5ad",
        "library": "a",
        "library_key": "slide",
    },
    "on an array that is not known by its technology": {
        "path_or_id": "sections/a.h5ad",
        "array": "hexagonal",
    },
    "on the Hugging Face hub": {"source": "hub", "path_or_id": "me/mysections@main/st/a.h5ad"},
}

CHOICES = ("layer", "library", "library_key")

IMAGES = (IN_ANNDATA, BESIDE_POSITIONS)


def fits(path: Path) -> bool:
    """Whether the suffix matches."""
    return is_file_named(path, ".h5ad")


def files(path: Path) -> dict[str, Path]:
    """Return the file itself."""
    require_file(path, "h5ad")
    return {"counts": path}


def positions(path: Path) -> Path | None:
    """Return None: the file contains the positions."""
    return None


def read(files: dict[str, Path], choice: Choice) -> "AnnData":
    """Read the chosen section."""
    path = files["counts"]
    with open_h5(path, "h5ad") as file:
        if "matrix" in file and "obs" not in file:
            raise InputError(
                f"{path}: is a 10x matrix, not an AnnData. Fix: give it a name in `.h5`."
            )
        if not {"obs", "var"} <= {*file}:
            raise InputError(
                f"{path}: is HDF5, but not an AnnData, which has `obs` and `var` (it has "
                f"{', '.join(file) or 'nothing'}). Fix: give the section as anndata wrote it."
            )
        return _read_old(file, choice, path) if _is_old(file) else read_group(file, choice, path)


def _is_old(file: "h5py.File") -> bool:
    """Whether a version before anndata 0.7 wrote the file, with tables as compound data sets."""
    import h5py

    return isinstance(file["obs"], h5py.Dataset)


def _read_old(file: "h5py.File", choice: Choice, path: Path) -> "AnnData":
    """Read an old file with anndata and convert it in memory."""
    import anndata
    import h5py

    whole = anndata.read_h5ad(file.filename)
    with h5py.File("new", "w", driver="core", backing_store=False) as new:
        anndata.io.write_elem(new, "/", whole)
        return read_group(new, choice, path)
