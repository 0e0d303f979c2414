"""How a section's spots are arranged: on one array, on several at once, or scattered."""

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from sagefm.cohorts.diffraction import hidden_pitch
from sagefm.cohorts.several import FEWEST, FIX
from sagefm.cohorts.spot_columns import ARRAY
from sagefm.common.errors import InputError
from sagefm.graphs.arrays import is_hexagonal
from sagefm.graphs.grid import CORNER_STEPS, HEXAGONAL_STEPS, SQUARE_STEPS, neighbours_on_array

SHORT = 0.7
"""In pitches. Spots closer than this are not on one array. Printed arrays deviate by 0.25."""

OVERLAPPING = 0.2
"""Slices overlap if at least this share of spots has another closer than `SHORT`."""

PEAK = 1.4
"""In an array, the number of pairs one pitch apart exceeds chance by at least this factor."""

DEVIATIONS = 6
"""Minimum excess of that count, in standard deviations with each pair of spots counted twice."""

CROWDED = 1.1
"""Slices overlap if a square of the pitch has at least this many spots; scattered spots have
fewer."""

NEIGHBOURS, SOME = 48, 5000
"""Number of nearest spots whose distances are used, and approximate number of spots sampled."""

SPARSE = 0.7
"""With fewer spots per square of the pitch, the pitch may instead be the offset between slices."""

ALIKE = 0.95
"""Slices overlap by an offset if at least this share of spots has another spot at it."""

INNER = 0.75
"""An offset is a step of the array if at least this share of spots has one on either side at it."""

LONELY = 0.5
"""Spots are scattered if at least this share has no neighbour on the array."""

ONE_PLACE = 0.8
"""Minimum share of the coordinates' variance explained by the array positions. It is at least 0.99
in a section, even a warped one, and about 0 if they are in another order."""

MOST_STEPS = 1000
"""A coordinate with at least this many different values is not taken for rows of an array."""

STRETCH = 1.25
"""Maximum ratio of the array's two pitches for it to count as regular."""

UNEVEN, SPREAD = 2.5, 1.6
"""Ratios of long (95%) to short (5%) distances between nearest spots from which on spots are
unevenly spaced, and may be scattered. On printed arrays the ratio is 1.4."""

ADJACENT = 1.6
"""Maximum distance of neighbours, in pitches. The next ones are 1.73 apart on a hexagonal array,
and corners 1.41 on a square one."""


def check_arrangement(spatial: np.ndarray, array: np.ndarray | None = None, fix: str = FIX) -> str:
    """Check that spots are arranged like those of one section.

    Parameters
    ----------
    spatial
        float64 (spots, 2): x and y of the spots in tissue, full-resolution pixels.
    array
        Integer (spots, 2): array_row and array_col, if the source has them.
    fix
        What the error message recommends if there are several sections.

    Returns
    -------
    str
        A note for the user if nothing is certainly wrong; otherwise empty.

    Raises
    ------
    InputError
        If slices overlap, if most spots have no neighbour on their array, or if array positions
        were given as pixels.
    """
    spatial = np.asarray(spatial, dtype=np.float64)
    tree = cKDTree(spatial)
    distance, neighbour = tree.query(spatial, k=2)
    nearest = distance[:, 1]
    if array is not None:
        array = np.asarray(array, dtype=np.int64)
        _check_scattered(array)
        _check_one_place(spatial, array)
        _check_stretched(spatial, array, known=True)
    elif (steps := _steps(spatial)) is not None:
        _check_stretched(spatial, steps[:, ::-1], known=False)
    pitch = array_pitch(spatial)
    if pitch:
        filled = _density(tree) * pitch**2
        if filled < SPARSE:
            _check_offset(tree, spatial[neighbour[:, 1]] - spatial, fix)
        short = (nearest < SHORT * pitch).mean()
        if short > OVERLAPPING and filled > CROWDED:
            raise InputError(
                f"{short:.0%} of the spots have another at {np.median(nearest / pitch):.2f} of the "
                f"array's pitch ({pitch:.4g} pixels): several slices lie over each other. {fix}"
            )
    low, high = np.quantile(nearest, [0.05, 0.95])
    if array is None and high > SPREAD * low:
        _check_alone(spatial, nearest)
    if high > UNEVEN * low:
        return (
            f"the spots do not lie evenly: the nearest other spot is {low:.4g} to {high:.4g} pixels"
            f" away (5% to 95% of {len(spatial)} spots), so that neighbours are not always adjacent"
        )
    return ""


def array_pitch(spatial: np.ndarray) -> float:
    """Return the distance of neighbours on the spots' array in pixels; 0 if they are on none.

    It is the distance at which pairs of spots most exceed chance. Unlike the nearest distance, it
    does not change if several slices overlap.
    """
    # With two small pieces of tissue, spots of the other piece must not count as near.
    size = min(NEIGHBOURS, max(len(spatial) // 3, 6), len(spatial) - 1) + 1
    some = spatial[:: max(len(spatial) // SOME, 1)]
    distance = cKDTree(spatial).query(some, k=size)[0][:, 1:]
    reach = np.median(distance[:, -1])
    pairs = np.sort(distance[(distance > 0) & (distance <= reach)])
    best, pitch = 0.0, 0.0
    for width in (0.02, 0.08):  # exact and printed arrays
        centres = np.geomspace(reach / 20, reach / (1 + width), 400)
        inside = np.searchsorted(pairs, centres * (1 + width))
        inside -= np.searchsorted(pairs, centres * (1 - width))
        chance = len(pairs) * 4 * width * centres**2 / reach**2
        excess = np.where(inside > chance + DEVIATIONS * np.sqrt(2 * chance), inside / chance, 0)
        excess[inside < len(some) / 4] = 0
        if excess.max() > max(best, PEAK):
            # The first of the array's distances, not the one to second neighbours.
            start = np.flatnonzero(excess > max(PEAK, 0.8 * excess.max()))[0]
            near = slice(start, start + 12)
            best, pitch = excess.max(), float(centres[near][excess[near].argmax()])
    return pitch


def _density(tree: cKDTree, neighbours: int = 12) -> float:
    """Return the density of spots per square pixel, measured around the spots."""
    size = min(neighbours + 1, tree.n)
    farthest = tree.query(tree.data, k=size)[0][:, -1]
    return (size - 1) / (np.pi * float(np.median(farthest)) ** 2)


def _check_offset(tree: cKDTree, offsets: np.ndarray, fix: str) -> None:
    """Raise an InputError if most spots have another at one offset and few have one on either side.

    `offsets` (spots, 2) point from each spot to its nearest.
    """
    offsets = offsets * np.where(offsets @ [1, 1e-3] < 0, -1, 1)[:, None]
    offset = np.median(offsets, axis=0)
    near = 0.1 * np.median(np.hypot(*offsets.T))
    ahead, behind = (tree.query(tree.data + side * offset)[0] < near for side in (1, -1))
    if (ahead | behind).mean() > ALIKE and (ahead & behind).mean() < INNER:
        raise InputError(
            f"{(ahead | behind).mean():.0%} of the spots have another at one offset of "
            f"{np.hypot(*offset):.4g} pixels: several slices lie over each other. {fix}"
        )


def _check_scattered(array: np.ndarray) -> None:
    steps = HEXAGONAL_STEPS if is_hexagonal(array) else SQUARE_STEPS + CORNER_STEPS
    lonely = int((neighbours_on_array(array, steps).getnnz(axis=1) == 0).sum())
    if lonely > LONELY * len(array):
        raise InputError(
            f"{lonely} of {len(array)} spots have no neighbour on the array: they are scattered, "
            "as a random part of a section is, and have no neighbourhood. Fix: give all spots in "
            "tissue."
        )


def _check_alone(spatial: np.ndarray, nearest: np.ndarray) -> None:
    """Apply `_check_scattered` to coordinates on an array if nothing else is known.

    Cells and beads with rounded coordinates are also on an array, of whole pixels, but without
    adjacent places in it.
    """
    pitch = hidden_pitch(spatial)
    adjacent = nearest < ADJACENT * pitch
    if (nearest < SHORT * pitch).mean() > 1 - ALIKE or adjacent.sum() < 2:
        return
    lonely = int((~adjacent).sum())
    if lonely > LONELY * len(spatial):
        raise InputError(
            f"{lonely} of {len(spatial)} spots have no neighbour at the array's pitch of "
            f"{pitch:.4g} pixels: they are scattered, as a random part of a section is, and have "
            "no neighbourhood. Fix: give all spots in tissue."
        )


def _steps(spatial: np.ndarray) -> np.ndarray | None:
    """Return coordinates as whole steps (int, spots x 2) if they are rows and columns."""
    steps = np.empty(spatial.shape, dtype=np.int64)
    for axis, values in enumerate(spatial.T):
        apart = np.diff(np.unique(values))
        if not len(apart) or len(apart) > MOST_STEPS:
            return None
        exact = (values - values.min()) / apart.min()
        steps[:, axis] = np.round(exact)
        if not np.allclose(steps[:, axis], exact, rtol=0, atol=1e-3):
            return None
    return steps


def _check_one_place(spatial: np.ndarray, array: np.ndarray) -> None:
    """Raise an InputError if array positions and coordinates are of different spots."""
    if len(array) < FEWEST or not (np.ptp(array, axis=0).all() and np.ptp(spatial, axis=0).all()):
        return
    design = np.column_stack([array, np.ones(len(array))])
    fitted = design @ np.linalg.lstsq(design, spatial, rcond=None)[0]
    explained = 1 - ((spatial - fitted) ** 2).sum() / ((spatial - spatial.mean(axis=0)) ** 2).sum()
    if explained < ONE_PLACE:
        raise InputError(
            f"the array positions of its spots explain {max(explained, 0):.0%} of where their "
            "coordinates are: the two are not of the same spots. Fix: give both from the position "
            "file of this very section."
        )


def _check_stretched(spatial: np.ndarray, array: np.ndarray, known: bool) -> None:
    """Raise an InputError if pixels are the rows and columns of a hexagonal array.

    If the array is not `known`, it is the coordinates in whole steps, in either order.
    """
    if not is_hexagonal(array) or len(array) < 3:
        return
    design = np.column_stack([array, np.ones(len(array))])
    fitted, _, rank, _ = np.linalg.lstsq(design, spatial, rcond=None)
    if rank < 3 or _is_regular(fitted[:2]):
        return
    if _is_regular(fitted[1::-1]):
        if not known:
            return
        raise InputError(
            "its array_row and array_col are exchanged: on a hexagonal array, columns are half a "
            "step apart. Fix: exchange them."
        )
    down = int(np.abs(fitted[0]).argmax())
    factor = np.sqrt(3) * np.abs(fitted[1]).max() / np.abs(fitted[0]).max()
    raise InputError(
        "the coordinates are rows and columns of a hexagonal array, not pixels: its rows are "
        f"{factor:.3f} times as far apart. Fix: multiply {'xy'[down]} by {factor:.3f}, or give "
        "full-resolution pixels."
    )


def _is_regular(steps: np.ndarray) -> bool:
    """Whether steps of row and column (2, x and y) are those of a hexagonal array."""
    # A row is sqrt(3) times as far as a column, which counts as half a step.
    lengths = np.linalg.svd(steps / [[np.sqrt(3)], [1]], compute_uv=False)
    return bool(lengths[0] <= STRETCH * lengths[1])


def array_of(obs: pd.DataFrame) -> np.ndarray | None:
    """Return array_row and array_col of a source's spots, int (spots, 2); None if missing."""
    return obs[[*ARRAY]].to_numpy() if {*ARRAY} <= {*obs.columns} else None
