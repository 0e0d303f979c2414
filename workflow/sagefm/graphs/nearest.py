"""The nearest spots of each spot, and the choice among equally distant ones.

Ties are common on an array: the 14th neighbour on a hexagonal array is one of six.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.spatial import cKDTree


def spot_tree(coordinates: np.ndarray) -> "cKDTree":
    """Build a search tree of spots from coordinates (spots, 2).

    Every module that reads sections imports this one, but few search. Importing scipy's trees takes
    as long as reading a section, so they are imported only here.
    """
    from scipy.spatial import cKDTree

    return cKDTree(coordinates)


def nearest(coordinates: np.ndarray, size: int) -> np.ndarray:
    """Return the `size` nearest spots of each spot: int32 (spots, min(size, spots)), itself first.

    Ties in distance go to the lower row, so that the result depends only on the input.
    """
    n = len(coordinates)
    size = min(size, n)
    tree = spot_tree(coordinates)
    result = np.empty((n, size), dtype=np.int32)
    todo, reach = np.arange(n), min(n, 2 * size)
    while len(todo):
        _, candidates = tree.query(coordinates[todo], k=reach)
        candidates = np.asarray(candidates).reshape(len(todo), reach)
        offsets = coordinates[candidates] - coordinates[todo, None]
        distance = np.square(offsets).sum(axis=2)
        farthest = distance.max(axis=1)
        distance[candidates == todo[:, None]] = -1.0
        order = np.lexsort((candidates, distance), axis=1)[:, :size]
        result[todo] = np.take_along_axis(candidates, order, axis=1)
        # Settled once the spot itself and every tie at the border are among the candidates.
        border = np.take_along_axis(distance, order[:, -1:], axis=1)[:, 0]
        settled = (border < farthest) & (result[todo, 0] == todo)
        if reach == n:
            break
        todo, reach = todo[~settled], min(n, 4 * reach)
    return result


def nearest_by_ball_tree(coordinates: np.ndarray, size: int) -> np.ndarray:
    """Return the same as `nearest`, with ties in the order of scikit-learn's ball tree.

    The released code uses this order. It depends on all coordinates and their rows, so removing
    spots by quality control may change ties elsewhere in a section.
    """
    # scikit-learn takes a second to import; other kinds of graph do not need it.
    from sklearn.neighbors import NearestNeighbors

    n = len(coordinates)
    size = min(size, n)
    search = NearestNeighbors(n_neighbors=size, algorithm="ball_tree").fit(coordinates)
    found = search.kneighbors(coordinates, return_distance=False).astype(np.int32)
    # The tree may list spots at the same position in any order. Here each spot comes first; if it
    # is not among the nearest found, it replaces the last.
    own = np.arange(n)
    for row in np.flatnonzero(found[:, 0] != own):
        others = found[row][found[row] != row]
        found[row] = np.concatenate([[row], others[: size - 1]])
    return found


def has_tied_border(coordinates: np.ndarray, size: int) -> np.ndarray:
    """Return whether the last of a spot's `size` nearest ties with an excluded one: bool (spots,).

    Distances that differ by less than a billionth count as equal.
    """
    if size >= len(coordinates):
        return np.zeros(len(coordinates), dtype=bool)
    distance, _ = spot_tree(coordinates).query(coordinates, k=[size, size + 1])
    return distance[:, 1] <= distance[:, 0] * (1 + 1e-9)


TIES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "row": nearest,
    "ball_tree": nearest_by_ball_tree,
}
"""Rules for ties: `row` takes the lower row, `ball_tree` the order of the released code."""
