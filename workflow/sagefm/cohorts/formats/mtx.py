"""A matrix of 10x Genomics in three files: Matrix Market, features and barcodes."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from sagefm.cohorts.formats.base import (
    Choice,
    first,
    is_file_named,
    position_files,
    positions_beside,
)
from sagefm.cohorts.formats.tenx_h5 import require_spots, section_of
from sagefm.cohorts.images import BESIDE_POSITIONS
from sagefm.cohorts.opening import open_text, reading
from sagefm.common.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
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

CHOICES = ("library",)

IMAGES = (BESIDE_POSITIONS,)


def fits(path: Path) -> bool:
    """Whether there is a matrix; a folder that also has positions is Space Ranger's."""
    if path.is_dir():
        alone = not (path / "spatial").is_dir() and not position_files(path)
        return any(path.glob("matrix.mtx*")) and alone
    return is_file_named(path, "matrix.mtx")


def files(path: Path) -> dict[str, Path]:
    """Return the three files, given their folder or the matrix itself.

    Raises
    ------
    InputError
        If a file is missing, or its name says that the matrix is of something else.
    """
    require_spots(path)
    folder, prefix = (
        (path, "") if path.is_dir() else (path.parent, path.name.split("matrix.mtx")[0])
    )
    return {
        "matrix": first(folder, f"{prefix}matrix.mtx") if path.is_dir() else path,
        "features": first(folder, f"{prefix}features.tsv", f"{prefix}genes.tsv"),
        "barcodes": first(folder, f"{prefix}barcodes.tsv"),
    }


def positions(path: Path) -> Path | None:
    """Return Space Ranger's position file, if the matrix is still in its folder."""
    return positions_beside(path)


def read(files: dict[str, Path], choice: Choice) -> "AnnData":
    """Read the gene expression only, with `gene_ids`.

    `scanpy.read_10x_mtx` requires plain `genes.tsv` or gzipped `features.tsv`; deposits mix them.

    Raises
    ------
    InputError
        If a file is damaged, or the three do not belong to one matrix.
    """
    import pandas as pd
    import scipy.io
    import scipy.sparse as sp
    from anndata import AnnData

    from sagefm.cohorts.gene_names import ENSEMBL

    with reading(files["matrix"], "Matrix Market"):
        matrix = scipy.io.mmread(files["matrix"])
    tables = {role: _lines(files[role]) for role in ("features", "barcodes")}
    if not _fit(tables, matrix.shape) and _fit(tables, matrix.shape[::-1]):
        matrix = matrix.T  # stored as spots x genes
    for (role, table), length in zip(tables.items(), matrix.shape, strict=True):
        if len(table) == length + 1:
            tables[role] = table = table[1:].reset_index(drop=True)  # drop the header
        if len(table) != length:
            raise InputError(
                f"{files[role]}: has {len(table)} lines, but {files['matrix']} has {length} "
                f"{role}. Fix: take all three files from one folder."
            )
    features, barcodes = tables["features"], tables["barcodes"]
    ids, symbols = features[0], features.get(1, features[0])
    if symbols.str.match(ENSEMBL).mean() > 0.5 > ids.str.match(ENSEMBL).mean():
        ids, symbols = symbols, ids
    var = pd.DataFrame({"gene_ids": ids.to_numpy()}, index=symbols)
    if 2 in features:
        var["feature_types"] = features[2].to_numpy()
    numbered = 1 in barcodes and barcodes[0].str.isdecimal().all()
    obs = pd.DataFrame(index=barcodes[int(numbered)])
    adata = AnnData(X=sp.csr_matrix(matrix.T), obs=obs, var=var)
    return section_of(adata, choice, files["matrix"])


def _lines(path: Path) -> "pd.DataFrame":
    """Read a table of features or barcodes with numbered columns."""
    import pandas as pd

    with reading(path, "a table"), open_text(path) as file:
        lines = file.read()
        separator = "\t" if "\t" in lines or "," not in lines else ","
        return pd.read_csv(
            io.StringIO(lines), sep=separator, header=None, dtype=str, keep_default_na=False
        )


def _fit(tables: dict[str, "pd.DataFrame"], shape: tuple[int, ...]) -> bool:
    """Whether features and barcodes, with or without header, match the matrix's shape."""
    sizes = zip(tables.values(), shape, strict=True)
    return all(len(table) - length in (0, 1) for table, length in sizes)
