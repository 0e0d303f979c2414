"""Find the nearest row of one matrix of embeddings for every row of another, in bounded memory.

Each row is projected onto a few orthonormal directions. A projection never lengthens a distance, so
equal rows remain close. A tree over the short rows finds candidates, and whole rows, read in
blocks, decide. Memory holds the short rows and one block.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

DIRECTIONS = 16
"""Length of a short row."""

BLOCK = 4096
"""Number of whole rows in memory at once."""

CANDIDATES = 4
"""Number of candidates compared first; more if all of them may be equal."""

REACH = 100
"""Search radius, in multiples of the tolerance."""


class Rows(Protocol):
    """A float32 matrix that is read in blocks: an array, a memory map or an HDF5 dataset."""

    shape: tuple[int, ...]

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Found:
    """Result of `find_rows`.

    Attributes
    ----------
    pairs
        Columns row (of the wanted matrix), spot (row of the searched matrix), difference. Contains
        every pair within the tolerance; for a row without one, its nearest candidate, if there is
        one within reach. Sorted by row, then by difference.
    scale
        Root-mean-square distance of the searched rows from their mean, which is the unit of
        differences.
    """

    pairs: pd.DataFrame
    scale: float


def find_rows(wanted: Rows, rows: Rows, tolerance: float, threads: int = 1) -> Found:
    """Find the rows of one matrix that equal those of another, up to rounding.

    The search is exact within the tolerance: every equal pair is found.

    Parameters
    ----------
    wanted, rows
        Matrix whose rows are looked up (m, width), and matrix that is searched (n, width).
    tolerance
        Maximum difference of equal rows: their Euclidean distance, in units of `Found.scale`.
    """
    directions = _orthonormal(wanted.shape[1])
    short, scale = _shortened(rows, directions)
    sought, _ = _shortened(wanted, directions)
    tree = cKDTree(short)
    pairs: list[pd.DataFrame] = []
    todo, near = np.arange(len(sought)), min(CANDIDATES, len(short))
    while len(todo):
        reach = REACH * tolerance * scale
        distance, found = tree.query(
            sought[todo], k=range(1, near + 1), distance_upper_bound=reach, workers=threads
        )
        # If the last candidate may be equal, so may others beyond it.
        more = (distance[:, -1] <= tolerance * scale) & (near < len(short))
        row, column = np.nonzero(np.isfinite(distance) & ~more[:, None])
        table = pd.DataFrame({"row": todo[row], "spot": found[row, column]})
        pairs.append(table.assign(difference=differences(wanted, rows, table) / scale))
        todo, near = todo[more], min(4 * near, len(short))
    table = pd.concat(pairs).sort_values(["row", "difference", "spot"], ignore_index=True)
    nearest = ~table["row"].duplicated()
    return Found(table[(table["difference"] <= tolerance) | nearest].reset_index(drop=True), scale)


def differences(wanted: Rows, rows: Rows, pairs: pd.DataFrame) -> np.ndarray:
    """Return the Euclidean distance of each pair of whole rows (row, spot): float64 (pairs,)."""
    result = np.empty(len(pairs))
    order = np.argsort(pairs["spot"].to_numpy(), kind="stable")
    spots, own = pairs["spot"].to_numpy()[order], pairs["row"].to_numpy()[order]
    for start, block in _blocks(rows):
        here = slice(*np.searchsorted(spots, [start, start + len(block)]))
        for piece in range(here.start, here.stop, BLOCK):
            part = slice(piece, min(piece + BLOCK, here.stop))
            first = np.stack([wanted[i : i + 1][0] for i in own[part]])
            gap = first.astype(np.float64) - block[spots[part] - start]
            result[order[part]] = np.sqrt(np.square(gap).sum(axis=1))
    return result


def _blocks(rows: Rows) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each block with the number of its first row."""
    for start in range(0, rows.shape[0], BLOCK):
        yield start, np.asarray(rows[start : start + BLOCK])


def _orthonormal(width: int) -> np.ndarray:
    """Return random orthonormal directions: float64 (width, up to `DIRECTIONS`)."""
    drawn = np.random.default_rng(0).normal(size=(width, min(DIRECTIONS, width)))
    return np.linalg.qr(drawn)[0]


def _shortened(rows: Rows, directions: np.ndarray) -> tuple[np.ndarray, float]:
    """Project rows onto directions (float64); also return their RMS distance from their mean."""
    short = np.empty((rows.shape[0], directions.shape[1]))
    total, squares = np.zeros(directions.shape[0]), 0.0
    for start, block in _blocks(rows):
        values = block.astype(np.float64)
        short[start : start + len(block)] = values @ directions
        total += values.sum(axis=0)
        squares += np.square(values).sum()
    mean = total / rows.shape[0]
    return short, float(np.sqrt(max(squares / rows.shape[0] - np.square(mean).sum(), 0)))
