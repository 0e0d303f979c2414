"""Array neighbours of a section, on a hexagonal or a square array."""

import numpy as np
import scipy.sparse as sp

from sagefm.common.errors import InputError
from sagefm.graphs.arrays import ARRAYS, HEXAGONAL, SQUARE, is_hexagonal, plane_of
from sagefm.graphs.lattice import fit_lattice

Steps = tuple[tuple[int, int], ...]
SQUARE_STEPS: Steps = ((0, -1), (0, 1), (-1, 0), (1, 0))
CORNER_STEPS: Steps = ((-1, -1), (-1, 1), (1, -1), (1, 1))
HEXAGONAL_STEPS: Steps = ((0, -2), (0, 2), *CORNER_STEPS)
"""Steps (array_row, array_col) to a spot's neighbours; Visium's columns count half steps."""


def grid_adjacency(
    coordinates: np.ndarray,
    array: np.ndarray | None,
    technology: str | None,
    corners: bool = False,
) -> sp.csr_matrix:
    """Return a boolean spots x spots matrix of array neighbours, looked up by array position.

    Array positions are exact even if pixels are jittered, so pixels serve only as a check: every
    edge must have between half and twice the median length. Missing array positions are fitted to
    the pixels.

    Parameters
    ----------
    coordinates
        (spots, 2) float, full-resolution pixels.
    array
        (spots, 2) integer array_row, array_col; None if they are not known.
    technology
        A key of `ARRAYS`, or the kind of array: `hexagonal` (6 neighbours; columns count half
        steps) or `square` (4, or 8 with `corners`).

    Raises
    ------
    InputError
        For another technology, or if array and pixels disagree.
    """
    kind = ARRAYS.get(technology or "", technology)
    if kind not in (HEXAGONAL, SQUARE):
        raise InputError(
            f"graph kind `grid` takes arrays of {', '.join(f'`{name}`' for name in ARRAYS)}, not "
            f"of `{technology}`. Fix: set `technology`, or the array itself, `{HEXAGONAL}` or "
            f"`{SQUARE}`, or use knn_clique, star or radius."
        )
    if array is None:
        array = fit_lattice(coordinates, 6 if kind == HEXAGONAL else 4)
    steps = HEXAGONAL_STEPS
    if kind == SQUARE:
        steps = SQUARE_STEPS + CORNER_STEPS if corners else SQUARE_STEPS
    if is_hexagonal(array) != (kind == HEXAGONAL):
        raise InputError(
            f"array_row and array_col are not those of a `{technology}` array (on Visium's, and "
            "there alone, row and column are both even or both odd). Fix: correct "
            "`technology` or the position file."
        )
    positions = plane_of(array)
    adjacency = neighbours_on_array(np.asarray(array, dtype=np.int64), steps)
    first, second = adjacency.nonzero()
    if len(first):
        length = np.linalg.norm(coordinates[first] - coordinates[second], axis=1)
        length /= np.linalg.norm(positions[first] - positions[second], axis=1)
        usual = np.median(length)
        if length.min() < usual / 2 or length.max() > usual * 2:
            raise InputError(
                f"array positions and pixel coordinates disagree on a `{technology}` array: array "
                f"steps measure {length.min():.0f} to {length.max():.0f} pixels (median "
                f"{usual:.0f}). Fix: correct `technology` or the position file."
            )
    return adjacency


def neighbours_on_array(array: np.ndarray, steps: Steps) -> sp.csr_matrix:
    """Return a boolean spots x spots matrix of spots one of the given steps (row, column) apart."""
    points, point_of = np.unique(array, axis=0, return_inverse=True)
    rows, columns = (points - points.min(axis=0)).T
    width = columns.max() + 5 if len(points) else 1  # so wide that steps stay within their row
    codes = rows * width + columns
    pairs = []
    for row_step, column_step in steps:
        wanted = codes + row_step * width + column_step
        at = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
        found = np.flatnonzero(codes[at] == wanted)
        pairs.append(np.stack([found, at[found]]))
    first, second = np.concatenate(pairs, axis=1)
    shape = (len(points), len(points))
    ties = sp.csr_matrix((np.ones(len(first), dtype=bool), (first, second)), shape=shape)
    return ties[point_of.ravel()][:, point_of.ravel()]
