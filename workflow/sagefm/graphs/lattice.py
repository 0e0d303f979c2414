"""Array positions fitted to coordinates, for sections without array positions."""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.spatial import cKDTree

from sagefm.common.errors import InputError

REACH = 1.3
"""Largest distance between neighbours, in spacings.

Diagonals of a square array are 1.41 apart, second neighbours of a hexagonal one 1.73.
"""

TOLERANCE = 0.4
"""Largest deviation of a spot from its place on the array, in spacings."""


def fit_lattice(coordinates: np.ndarray, neighbours: int) -> np.ndarray:
    """Fit row and column of each spot on a regular array: int64 (spots, 2).

    Spots are numbered from neighbour to neighbour, from the middle of the largest patch of tissue
    outwards. A linear map fitted to these numbers then gives the rest. Rotation, slight shear and
    gaps in the tissue therefore do not matter.

    Parameters
    ----------
    coordinates
        (spots, 2) float, finite.
    neighbours
        Neighbours of a spot: 4 on a square array; 6 on a hexagonal one, whose columns count half
        steps.

    Raises
    ------
    InputError
        If the coordinates do not fit such an array.
    """
    spacing = np.median(cKDTree(coordinates).query(coordinates, k=2)[0][:, 1])
    points, point_of = _distinct(coordinates, spacing)
    pairs = cKDTree(points).query_pairs(REACH * spacing, output_type="ndarray")
    if len(pairs) < len(points) / 2:
        raise InputError(
            "the spots are on no regular array: most have no neighbour at the usual distance. Fix: "
            "give array_row and array_col, or use knn_clique, star or radius."
        )
    basis = _basis(points[pairs[:, 1]] - points[pairs[:, 0]], neighbours)
    numbers = _numbered(points, pairs, basis)
    if np.abs(points - numbers[1]).max() > TOLERANCE * spacing:
        raise InputError(
            "the spots' coordinates do not fit the array of their technology. Fix: give array_row "
            "and array_col, correct `technology`, or use knn_clique, star or radius."
        )
    along, across = numbers[0].T
    rows = across - across.min()
    columns = 2 * along + across if neighbours == 6 else along
    first = columns.min()
    if neighbours == 6:  # rows and columns stay both even or both odd
        first -= (first - across.min()) % 2
    return np.stack([rows, columns - first], axis=1)[point_of]


def _distinct(coordinates: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Return distinct places, and the place of each spot."""
    _, first, place = np.unique(
        np.round(coordinates / (spacing / 4)), axis=0, return_index=True, return_inverse=True
    )
    return coordinates[first], place.ravel()


def _basis(steps: np.ndarray, neighbours: int) -> np.ndarray:
    """Return the two steps of the array as rows (2, 2), the first as close to x as possible."""
    turn = 2 * np.pi / neighbours
    directions = np.arctan2(steps[:, 1], steps[:, 0])
    angle = np.angle(np.exp(1j * neighbours * directions).mean()) / neighbours
    angles = np.array([angle, angle + turn])
    length = np.median(np.linalg.norm(steps, axis=1))
    return length * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _numbered(
    points: np.ndarray, pairs: np.ndarray, basis: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the integer steps (points, 2) to each point, and the places they predict."""
    ties = sp.csr_matrix((np.ones(len(pairs)), pairs.T), shape=(len(points),) * 2)
    patch = connected_components(ties, directed=False)[1]
    inside = np.flatnonzero(patch == np.bincount(patch).argmax())
    middle = points[inside].mean(axis=0)
    start = inside[np.linalg.norm(points[inside] - middle, axis=1).argmin()]
    order, before = breadth_first_order(ties, start, directed=False)
    steps = np.zeros((len(points), 2))
    for point in order[1:]:
        last = before[point]
        steps[point] = steps[last] + np.round(
            np.linalg.solve(basis.T, points[point] - points[last])
        )
    known = np.column_stack([steps[order], np.ones(len(order))])
    fitted = np.linalg.lstsq(known, points[order], rcond=None)[0]
    numbers = np.round(np.linalg.solve(fitted[:2].T, (points - fitted[2]).T).T)
    return numbers.astype(np.int64), numbers @ fitted[:2] + fitted[2]
