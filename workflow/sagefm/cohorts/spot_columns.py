"""Column names for positions in tables of spots, and positions contained in names of spots."""

import re

import numpy as np
import pandas as pd

BARCODE = "barcode"
PIXELS = ("pxl_col_in_fullres", "pxl_row_in_fullres")
"""Space Ranger's names for x and y, in full-resolution pixels."""
ARRAY = ("array_row", "array_col")

ALIASES = {
    BARCODE: (
        *("barcode", "barcodes", "spot", "spot_id", "spot_name", "cell_barcode", "cell", "cell_id"),
        *("bc", "id", "name", "index", "rowname", "rownames", ""),
    ),
    "in_tissue": ("in_tissue", "intissue", "tissue", "selected"),
    "array_row": ("array_row", "arrayrow", "row"),
    "array_col": ("array_col", "arraycol", "array_column", "col", "column"),
    "pxl_col_in_fullres": (
        *("pxl_col_in_fullres", "pxl_col", "imagecol", "image_col", "pixel_x", "pxl_x", "x_pixel"),
        *("x_px", "x_centroid", "center_x", "x_coord", "x_coordinate", "spatial_x"),
        *("coord_x", "x_pos", "pos_x", "x_position", "position_x", "xcoord", "px", "sdimx", "x"),
    ),
    "pxl_row_in_fullres": (
        *("pxl_row_in_fullres", "pxl_row", "imagerow", "image_row", "pixel_y", "pxl_y", "y_pixel"),
        *("y_px", "y_centroid", "center_y", "y_coord", "y_coordinate", "spatial_y"),
        *("coord_y", "y_pos", "pos_y", "y_position", "position_y", "ycoord", "py", "sdimy", "y"),
    ),
}
"""Alternative column names in lower case, the most specific first: those of Space Ranger (all
versions), Seurat (`GetTissueCoordinates`: imagerow, imagecol), st_pipeline (pixel_x, pixel_y,
selected), squidpy (x_centroid) and Giotto (sdimx), and plain words."""

COORDINATES = {name for key in (*PIXELS, *ARRAY) for name in ALIASES[key]}
"""Names of columns that hold a position."""

LARGEST_ARRAY = 300
"""Maximum rows or columns of an array with spots named `10_13`; DBiT-seq has 220."""

_NAME = re.compile(r"(?:.*_)?X?(\d+(?:\.\d+)?)[xX](\d+(?:\.\d+)?)(?:[-_]\d+)?")
_PAIR = re.compile(r"X?(\d+)_(\d+)")
_BIN = re.compile(r"s_\d+um_(\d+)_(\d+)(?:-\d+)?")


_BARCODE = re.compile(r"X?(?:.*[_.:#-])?[ACGTN]{12,}(?:[-.]\d+)?(?:[_:-].*)?", re.IGNORECASE)


def barcode_share(names: pd.Index) -> float:
    """Return the share of names that contain a barcode, possibly with additions by merging or R."""
    return (
        float(np.mean([bool(_BARCODE.fullmatch(str(name))) for name in names]))
        if len(names)
        else 0.0
    )


def standard_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `ALIASES` that a table has, under their standard names.

    If a table has `x` and `y` in addition to pixels, and no other array positions, these are the
    array's column and row. This is so in st_pipeline's `spot_data-selection` files.
    """
    known = {str(name).strip().lower().replace(" ", "_"): name for name in reversed(table.columns)}
    found = {
        standard: known[alias]
        for standard, aliases in ALIASES.items()
        for alias in [next((alias for alias in aliases if alias in known), None)]
        if alias is not None
    }
    pixels_apart = all(
        key in found and found[key] not in (known.get("x"), known.get("y")) for key in PIXELS
    )
    if pixels_apart and {"x", "y"} <= set(known) and not set(ARRAY) & set(found):
        found |= {"array_row": known["y"], "array_col": known["x"]}
    return pd.DataFrame({standard: table[name] for standard, name in found.items()})


def positions_in_names(names: pd.Index) -> np.ndarray | None:
    """Return array row and column (float64, spots x 2) contained in the names of all spots.

    `10x13`, or `X10x13` as a column name in R, is column 10 of row 13 in the names of Spatial
    Transcriptomics' st_pipeline (x, y). `s_008um_00305_01021-1` is row 305, column 1021 in Space
    Ranger's names of Visium HD bins. `10_13` is read as `10x13` if all such names fit an array. The
    result is None if any name contains no position.
    """
    text = names.astype(str)
    for pattern, order in ((_BIN, (0, 1)), (_NAME, (1, 0)), (_PAIR, (1, 0))):
        found = [pattern.fullmatch(name) for name in text]
        if all(found):
            pairs = np.array([match.groups() for match in found if match], dtype=np.float64)
            if pattern is not _PAIR or _are_of_an_array(pairs):
                return pairs[:, order]
    return None


def _are_of_an_array(pairs: np.ndarray) -> bool:
    """Whether pairs of numbers are positions, not a field of view and a cell's number in it."""
    if not len(pairs) or pairs.max() > LARGEST_ARRAY:
        return False
    few, many = sorted(np.ptp(pairs, axis=0) + 1)
    return bool(many <= 4 * few)
