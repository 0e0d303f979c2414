"""A matrix of 10x Genomics in three files: Matrix Market, features and barcodes."""

from pathlib import Path
from typing import TYPE_CHECKING

from sagefm.cohorts.formats.base import (
    Choice,
    first,
    is_file_named,
    position_files,
    positions_beside,
)
from sagefm.cohorts.images import BESIDE_POSITIONS
from sagefm.cohorts.opening import reading
from sagefm.common.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

HELP = (
    "a folder with `matrix.mtx`, `barcodes.tsv`, and `features.tsv` or `genes.tsv`, plain or "
    "`.gz`; or one `PREFIXmatrix.mtx` with the others beside it under the same prefix"
)

POSITIONS = "Space Ranger's file beside it or in `spatial/`, or column `positions`"

EXAMPLES = {
    "a matrix in three files": {
        "path_or_id": "sections/c/filtered_feature_bc_matrix",
        "positions": "sections/c_positions.csv",
    },
    "the same, with a prefix": {
        "path_or_id": "sections/GSM1_c_matrix.mtx.gz",
        "positions": "sections/GSM1_c_positions.csv",
    },
}

CHOICES = ()

IMAGES = (BESIDE_POSITIONS,)


def fits(path: Path) -> bool:
    """By its matrix, unless positions are in the same folder, which is then Space Ranger's."""
    if path.is_dir():
        alone = not (path / "spatial").is_dir() and not position_files(path)
        return any(path.glob("matrix.mtx*")) and alone
    return is_file_named(path, "matrix.mtx")


def files(path: Path) -> dict[str, Path]:
    """The three files, from their folder or from the matrix itself."""
    folder, prefix = (
        (path, "") if path.is_dir() else (path.parent, path.name.split("matrix.mtx")[0])
    )
    return {
        "matrix": first(folder, f"{prefix}matrix.mtx") if path.is_dir() else path,
        "features": first(folder, f"{prefix}features.tsv", f"{prefix}genes.tsv"),
        "barcodes": first(folder, f"{prefix}barcodes.tsv"),
    }


def positions(path: Path) -> Path | None:
    """Space Ranger's position file, if the matrix is still in its folder."""
    return positions_beside(path)


def read(files: dict[str, Path], choice: Choice) -> "AnnData":
    """Gene expression only, with `gene_ids`.

    `scanpy.read_10x_mtx` insists on plain `genes.tsv` or gzipped `features.tsv`; deposits mix them.

    Raises
    ------
    InputError
        If a file is damaged, or the three are not of one matrix.
    """
    import pandas as pd
    import scipy.io
    import scipy.sparse as sp
    from anndata import AnnData

    with reading(files["matrix"], "Matrix Market"):
        matrix = sp.csr_matrix(scipy.io.mmread(files["matrix"]).T)
    tables = {}
    for role, length in zip(("barcodes", "features"), matrix.shape, strict=True):
        with reading(files[role], "a table"):
            tables[role] = pd.read_csv(
                files[role], sep="\t", header=None, dtype=str, keep_default_na=False
            )
        if len(tables[role]) != length:
            raise InputError(
                f"{files[role]}: has {len(tables[role])} lines, but {files['matrix']} has {length} "
                f"{role}. Fix: take all three files from one folder."
            )
    features = tables["features"]
    var = pd.DataFrame({"gene_ids": features[0].to_numpy()}, index=features.get(1, features[0]))
    obs = pd.DataFrame(index=tables["barcodes"][0])
    adata = AnnData(X=matrix, obs=obs, var=var)
    return adata[:, (features[2] == "Gene Expression").to_numpy()] if 2 in features else adata
