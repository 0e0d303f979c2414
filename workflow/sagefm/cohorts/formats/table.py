"""A table of counts as text, spots by genes or genes by spots."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sagefm.cohorts.formats.base import (
    POSITION_FILES,
    TENX_TABLES,
    Choice,
    is_file_named,
    require_file,
    section_name,
)
from sagefm.cohorts.formats.base import positions_with as find_positions
from sagefm.cohorts.formats.tenx_h5 import section_of
from sagefm.cohorts.images import BESIDE_POSITIONS
from sagefm.cohorts.positions import match_barcodes, read_positions
from sagefm.cohorts.spot_columns import (
    ALIASES,
    BARCODE,
    COORDINATES,
    barcode_share,
    positions_in_names,
)
from sagefm.cohorts.text_tables import find_layout, read_text_table
from sagefm.common.errors import InputError

if TYPE_CHECKING:
    import scipy.sparse as sp
    from anndata import AnnData

HELP = (
    "a table of counts, `.csv`, `.tsv` or `.txt`, plain or `.gz`, with names in its first row and "
    "column: spots x genes or genes x spots, found out or given as `orientation`"
)

POSITIONS = (
    "column `positions`; else `*_coordinates.csv` or the like beside it, columns `x` and `y` of "
    "the table, or spots named `10x13` (column, row of the array)"
)

EXAMPLES = {
    "a table of counts and its positions": {
        "path_or_id": "sections/e_counts.tsv.gz",
        "positions": "sections/e_positions.csv",
    },
    "a table whose spots are named `10x13`": {
        "path_or_id": "sections/e_stdata.tsv",
        "technology": "Spatial Transcriptomics",
    },
    "a table with columns `x` and `y`, its spots named in a way of your own": {
        "path_or_id": "sections/e_xy.csv",
        "orientation": "spots_by_genes",
    },
}

CHOICES = ("orientation", "library")

SPOTS_BY_GENES = "spots_by_genes"

IMAGES = (BESIDE_POSITIONS,)

OF_GENES = frozenset({"start", "end", "length", "width", "gene_length", "entrezid", "entrez_id"})
"""Numeric columns that describe genes, in lower case, as in featureCounts and annotations."""

ROWS = 256
"""Number of rows read at a time, which are held both as text and as dense numbers."""


def fits(path: Path) -> bool:
    """Whether the suffix matches; names of positions and of parts of 10x matrices are excluded."""
    known = any(is_file_named(path, ending) for ending in (".csv", ".tsv", ".txt"))
    return known and not any(is_file_named(path, name) for name in (*POSITION_FILES, *TENX_TABLES))


def files(path: Path) -> dict[str, Path]:
    """Return the file itself."""
    require_file(path, "table")
    return {"counts": path}


def positions(path: Path) -> Path | None:
    """Return the table's position file; None if the table itself may contain positions."""
    if (path.parent / "spatial").is_dir():
        return find_positions(path.parent, "")
    found = find_positions(path.parent, f"{section_name(path)}_")
    return None if found == path else found


def read(files: dict[str, Path], choice: Choice) -> "AnnData":
    """Read counts, with the table's other columns: of spots in `obs`, of genes in `var`.

    Raises
    ------
    InputError
        If the file is damaged, or neither its rows nor its columns are named like spots.
    """
    from anndata import AnnData

    path = files["counts"]
    counts, about, columns = _read(path)
    known = read_positions(files["positions"]).index if "positions" in files else None
    rows_are_spots = choice.orientation == SPOTS_BY_GENES
    if not choice.orientation:
        rows_are_spots = _rows_are_spots(about.index, columns, known, path)
    if not rows_are_spots:
        own = ~np.asarray(columns.str.lower().isin(OF_GENES))
        counts = counts if own.all() else counts[:, own]
        adata = AnnData(counts.T.tocsr(), pd.DataFrame(index=columns[own]), about)
        return section_of(adata, choice, path)
    coordinates = np.asarray(columns.str.lower().isin(COORDINATES))
    for column in np.flatnonzero(coordinates):
        about[columns[column]] = counts[:, [column]].toarray().ravel()
    genes = np.flatnonzero(~coordinates)
    adata = AnnData(counts[:, genes], about, pd.DataFrame(index=columns[genes]))
    return section_of(adata, choice, path)


def _read(path: Path) -> tuple["sp.csr_matrix", pd.DataFrame, pd.Index]:
    """Return numbers (csr, rows x columns), text columns by row, and number columns' names."""
    import scipy.sparse as sp

    layout = find_layout(path, header=True)
    parts: list[sp.csr_matrix] = []
    texts: list[pd.DataFrame] = []
    numbers = np.empty(0, dtype=int)
    for part in read_text_table(path, layout, ROWS, dtype={0: str}, keep_default_na=False):
        if not parts:
            numbers = np.flatnonzero([kind.kind in "iuf" for kind in part.dtypes])
        words = part.drop(columns=numbers)
        mixed = [column for column in words if column and _has_number(words[column])]
        if mixed or any(part[column].dtype.kind not in "iuf" for column in numbers):
            raise InputError(
                f"{path}: has counts that are not numbers, in rows "
                f"{len(parts) * ROWS + 1} to {len(parts) * ROWS + len(part)}. Fix: leave nothing "
                "but counts beside the names."
            )
        parts.append(sp.csr_matrix(part[numbers].to_numpy(dtype=np.float64)))
        texts.append(words)
    names = pd.Index([name.strip() for name in layout.names])
    if not len(numbers):
        raise InputError(f"{path}: holds no column of counts. Fix: give a table of raw counts.")
    if len(numbers) == 1 and len(names) == 3:
        raise InputError(
            f"{path}: has one count a line, as a list of spots and genes has. Fix: give a table "
            "with a column for each gene or each spot."
        )
    text = pd.concat(texts)
    if text[0].str.fullmatch(r"\d+").all():  # rows are numbered; their names are in another column
        numbered = [name for name in text if name and names[name].lower() in ALIASES[BARCODE]]
        text = text.rename(columns={numbered[0]: 0, 0: numbered[0]}) if numbered else text
    index = pd.Index(text.pop(0).astype(str).str.strip())
    about = text.set_axis(index).set_axis(names[[*text.columns]], axis=1)
    return sp.vstack(parts, format="csr"), about, names[numbers]


def _has_number(column: pd.Series) -> bool:
    return bool(pd.to_numeric(column, errors="coerce").notna().any())


def _rows_are_spots(rows: pd.Index, columns: pd.Index, known: pd.Index | None, path: Path) -> bool:
    """Whether a table's rows, not its columns, are spots, judged by known spots or by names."""
    of_rows, of_columns = (_share(names, known) for names in (rows, columns))
    if max(of_rows, of_columns) < 0.5 or of_rows == of_columns:
        raise InputError(
            f"{path}: neither its rows (`{rows[0]}`) nor its columns (`{columns[0]}`) are named as "
            "spots"
            + (" of the position file" if known is not None else "")
            + ". Fix: name a table of the spots' positions as its `positions`, or say which they "
            "are, as `orientation`: `spots_by_genes` or `genes_by_spots`."
        )
    return of_rows > of_columns


def _share(names: pd.Index, known: pd.Index | None) -> float:
    """Return the share of names that are names of spots."""
    if known is not None and names.is_unique:
        return float((match_barcodes(names, known) >= 0).mean())
    if positions_in_names(names) is not None:
        return 1.0
    return barcode_share(names)
