"""A matrix of 10x Genomics in one HDF5 file."""

from pathlib import Path
from typing import TYPE_CHECKING

from sagefm.cohorts.formats.base import Choice, is_file_named, positions_beside, require_file
from sagefm.cohorts.images import BESIDE_POSITIONS
from sagefm.cohorts.opening import open_h5
from sagefm.cohorts.several import rows_named
from sagefm.common.errors import InputError

if TYPE_CHECKING:
    import h5py
    from anndata import AnnData

HELP = "a `filtered_feature_bc_matrix.h5`, prefixed or not, plain or `.gz`"

POSITIONS = "Space Ranger's file beside it or in `spatial/`, or column `positions`"

EXAMPLES = {
    "a matrix and its positions": {
        "path_or_id": "sections/b.h5",
        "positions": "sections/b_positions.csv",
    },
    "a prefixed matrix, its positions beside it": {
        "path_or_id": "sections/GSM6339631_s1_filtered_feature_bc_matrix.h5"
    },
    "a GEO sample": {
        "source": "geo",
        "path_or_id": "GSM6339631/GSM6339631_s1_filtered_feature_bc_matrix.h5",
        "positions": "GSM6339631/GSM6339631_s1_tissue_positions_list.csv.gz",
    },
}

CHOICES = ("library",)

IMAGES = (BESIDE_POSITIONS,)

PROBES = (
    "counts probes, of which a gene has several. Fix: give Space Ranger's "
    "filtered_feature_bc_matrix.h5 of this section."
)
CELLS = (
    "holds segmented cells, which are on no array and of unequal size. Fix: give the bins of the "
    "same section, as in binned_outputs/square_008um."
)
REFUSED = {"probe_bc_matrix": PROBES, "feature_cell_matrix": CELLS}
"""What is wrong with a matrix, by a part of its name."""


def fits(path: Path) -> bool:
    """Whether the suffix matches."""
    return is_file_named(path, ".h5")


def files(path: Path) -> dict[str, Path]:
    """Return the file itself.

    Raises
    ------
    InputError
        If it is a folder, or its name says that the matrix is of something else.
    """
    require_file(path, "tenx_h5")
    require_spots(path)
    return {"counts": path}


def require_spots(path: Path) -> None:
    """Raise an InputError if a matrix, by its name, counts probes or segmented cells."""
    for name, said in REFUSED.items():
        if name in path.name:
            raise InputError(f"{path}: {said}")


def positions(path: Path) -> Path | None:
    """Return Space Ranger's position file, if the matrix is still in its folder."""
    return positions_beside(path)


def read(files: dict[str, Path], choice: Choice) -> "AnnData":
    """Read the gene expression only, with `gene_ids`.

    Raises
    ------
    InputError
        If the file is damaged, is not a matrix of genes, or counts probes.
    """
    from scanpy import read_10x_h5  # takes seconds to import, and other formats do not need it

    path = files["counts"]
    with open_h5(path, "10x HDF5") as file:
        if "obs" in file and "var" in file:
            raise InputError(f"{path}: is an AnnData. Fix: give it a name in `.h5ad`.")
        if "matrix/features/probe_region" in file or "matrix/features/filtered_probes" in file:
            raise InputError(f"{path}: {PROBES}")
        if "matrix" not in file and not any("gene_names" in file[name] for name in _groups(file)):
            raise InputError(
                f"{path}: is HDF5, but not a 10x matrix. Fix: give Space Ranger's "
                "filtered_feature_bc_matrix.h5."
            )
        return section_of(read_10x_h5(file.filename, gex_only=True), choice, path)


def section_of(adata: "AnnData", choice: Choice, path: Path) -> "AnnData":
    """Select a section of a matrix with several, which are distinguished by the names of spots.

    Raises
    ------
    InputError
        If the section does not exist.
    """
    if not choice.library:
        return adata
    rows = rows_named(adata.obs_names, choice.library)
    if not rows.any():
        raise InputError(
            f"{path}: no spot's name has `{choice.library}` beside its barcode (the first: "
            f"`{next(iter(adata.obs_names), '')}`). Fix: correct `library`, or leave it empty."
        )
    return adata[rows].copy()


def _groups(file: "h5py.File") -> list[str]:
    """Return the groups at the root, which are the references in files of Cell Ranger 2."""
    return [name for name in file if hasattr(file[name], "keys")]
