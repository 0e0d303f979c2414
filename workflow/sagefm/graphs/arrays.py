"""Arrays that sections are measured on: by technology, and by their rows and columns."""

import numpy as np

HEXAGONAL, SQUARE = "hexagonal", "square"
ARRAYS = {"Visium": HEXAGONAL, "Visium HD": SQUARE, "Spatial Transcriptomics": SQUARE}
"""Array of each technology that has one; of others a sheet gives it."""


def is_hexagonal(array: np.ndarray) -> bool:
    """Whether rows and columns (spots, 2) are all even or all odd together: a hexagonal array's.

    Its columns count half steps; a square array uses all pairs of rows and columns.
    """
    return len(np.unique(array.sum(axis=1) % 2)) == 1


def plane_of(array: np.ndarray) -> np.ndarray:
    """X and y (float64, spots x 2), in steps of the array, of array rows and columns (spots, 2)."""
    rows, columns = np.asarray(array, dtype=np.float64).T
    if is_hexagonal(np.asarray(array)):
        return np.stack([columns / 2, rows * np.sqrt(3) / 2], axis=1)
    return np.stack([columns, rows], axis=1)
