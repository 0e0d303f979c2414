"""Regular arrays on which sections are measured, by technology or by rows and columns."""

import numpy as np

HEXAGONAL, SQUARE = "hexagonal", "square"
ARRAYS = {"Visium": HEXAGONAL, "Visium HD": SQUARE, "Spatial Transcriptomics": SQUARE}
"""Array of each technology that has one; for others, the sheet gives it."""


def is_hexagonal(array: np.ndarray) -> bool:
    """Return whether an array (spots, 2) is hexagonal: rows and columns have equal parity.

    Columns of a hexagonal array count half steps; a square array uses all pairs of rows and
    columns.
    """
    return len(np.unique(array.sum(axis=1) % 2)) == 1


def plane_of(array: np.ndarray) -> np.ndarray:
    """Convert array rows and columns (spots, 2) to x and y in array steps: float64 (spots, 2)."""
    rows, columns = np.asarray(array, dtype=np.float64).T
    if is_hexagonal(np.asarray(array)):
        return np.stack([columns / 2, rows * np.sqrt(3) / 2], axis=1)
    return np.stack([columns, rows], axis=1)
