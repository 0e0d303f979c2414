"""The nearest spots of each spot, and who is taken of those that are equally far.

On an array, ties are the rule: the 14th neighbour on a hexagonal array is one of six.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.spatial import cKDTree


def spot_tree(coordinates: np.ndarray) -> "cKDTree":
    """A tree of spots to search for neighbours, coordinates (spots, 2).

    All that reads sections imports this module, and few of it search: scipy's trees, which take as
    long to import as a section to read, are imported here.
    """
    from scipy.spatial import cKDTree

    return cKDTree(coordinates)


def nearest(coordinates: np.ndarray, size: int) -> np.ndarray:
    """The `size` nearest spots of each spot: int32 (spots, min(size, spots)), itself first.

    Ties in distance go to the lower row, so that the result depends on nothing but the input.
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
        # Settled once the itself-first rule and every tie at the border lie inside the candidates.
        border = np.take_along_axis(distance, order[:, -1:], axis=1)[:, 0]
        settled = (border < farthest) & (result[todo, 0] == todo)
        if reach == n:
            break
        todo, reach = todo[~settled], min(n, 4 * reach)
    return result


def nearest_by_ball_tree(coordinates: np.ndarray, size: int) -> np.ndarray:
    """As `nearest`, but ties go as scikit-learn's ball tree meets the spots, as in released code.

    The order follows from all coordinates and their rows, so a section without the spots that the
    quality control removes may be tied differently from the whole one.
    """
    # scikit-learn takes a second to import; graphs of other kinds do without.
    from sklearn.neighbors import NearestNeighbors

    n = len(coordinates)
    size = min(size, n)
    search = NearestNeighbors(n_neighbors=size, algorithm="ball_tree").fit(coordinates)
    found = search.kneighbors(coordinates, return_distance=False).astype(np.int32)
    # Of spots that share a position any may come first. Ours begins with itself; if it was not
    # among the nearest at all, it takes the place of the last.
    own = np.arange(n)
    for row in np.flatnonzero(found[:, 0] != own):
        others = found[row][found[row] != row]
        found[row] = np.concatenate([[row], others[: size - 1]])
    return found


def has_tied_border(coordinates: np.ndarray, size: int) -> np.ndarray:
    """Whether the last of a spot's `size` nearest is as far as one left out: bool (spots,).

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
"""Rules for ties: `row` takes the lower row, `ball_tree` is the order of the released code."""
