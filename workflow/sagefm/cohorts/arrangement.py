"""How the spots of a section lie to each other: on one array, on several at once, or scattered."""

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
"""Pitches: nearer than this, two spots are not of one array. Printed arrays are off by 0.25."""

OVERLAPPING = 0.2
"""Share of spots with one nearer than `SHORT` from which on slices lie over each other."""

PEAK = 1.4
"""How many times more pairs lie a pitch apart than chance would have it, in an array."""

DEVIATIONS = 6
"""Standard deviations of such a count, each pair of spots being met twice, by which it has to."""

CROWDED = 1.1
"""Spots in a square of the pitch from which on slices lie over each other; scattered ones: less."""

NEIGHBOURS, SOME = 48, 5000
"""Nearest spots of each whose distances are looked at, and of about how many spots."""

SPARSE = 0.7
"""Spots in a square of the pitch below which the pitch may be the offset of slices instead."""

ALIKE = 0.95
"""Share of spots with another at one offset from which on slices lie over each other by it."""

INNER = 0.75
"""Share of spots with one on either side at that offset from which on it is a step of the array."""

LONELY = 0.5
"""Share of spots without neighbour on the array from which on they are scattered."""

ONE_PLACE = 0.8
"""Share of the coordinates' variance that the array positions explain: from 0.99 on in a section,
even one that was warped; about 0 where they are in another order."""

MOST_STEPS = 1000
"""Different values of a coordinate from which on it is not taken for the rows of an array."""

STRETCH = 1.25
"""Ratio of the array's two pitches up to which it counts as regular."""

UNEVEN, SPREAD = 2.5, 1.6
"""Ratios of long (95%) to short (5%) distances of nearest spots from which on they lie unevenly,
and may be scattered; 1.4 on printed arrays."""

ADJACENT = 1.6
"""Pitches up to which spots are neighbours: next ones are 1.73 apart on a hexagonal array, and
corners 1.41 on a square one."""


def check_arrangement(spatial: np.ndarray, array: np.ndarray | None = None, fix: str = FIX) -> str:
    """Check that spots lie as those of one section do.

    Parameters
    ----------
    spatial
        float64 (spots, 2): x and y of the spots in tissue, full-resolution pixels.
    array
        Integer (spots, 2): array_row and array_col, if the source has them.
    fix
        What the sentence of an error says to do about several sections.

    Returns
    -------
    str
        What a user needs to see, where nothing is certainly wrong; else empty.

    Raises
    ------
    InputError
        If slices lie over each other, if most spots have no neighbour on their array, or if array
        positions were given as pixels.
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
    """Distance of neighbours on the array that spots lie on, in pixels; 0 if on none.

    The distance at which pairs of spots are most in excess of what chance has. That of neighbours
    stays the same where several slices lie over each other, which the nearest distance does not.
    """
    # Of two small pieces of tissue, spots of the other piece are not counted as near.
    size = min(NEIGHBOURS, max(len(spatial) // 3, 6), len(spatial) - 1) + 1
    some = spatial[:: max(len(spatial) // SOME, 1)]
    distance = cKDTree(spatial).query(some, k=size)[0][:, 1:]
    reach = np.median(distance[:, -1])
    pairs = np.sort(distance[(distance > 0) & (distance <= reach)])
    best, pitch = 0.0, 0.0
    for width in (0.02, 0.08):  # of exact arrays, and of printed ones
        centres = np.geomspace(reach / 20, reach / (1 + width), 400)
        inside = np.searchsorted(pairs, centres * (1 + width))
        inside -= np.searchsorted(pairs, centres * (1 - width))
        chance = len(pairs) * 4 * width * centres**2 / reach**2
        excess = np.where(inside > chance + DEVIATIONS * np.sqrt(2 * chance), inside / chance, 0)
        excess[inside < len(some) / 4] = 0
        if excess.max() > max(best, PEAK):
            # The first of the array's distances, not a second neighbour's.
            start = np.flatnonzero(excess > max(PEAK, 0.8 * excess.max()))[0]
            near = slice(start, start + 12)
            best, pitch = excess.max(), float(centres[near][excess[near].argmax()])
    return pitch


def _density(tree: cKDTree, neighbours: int = 12) -> float:
    """Spots a square pixel, around the spots themselves."""
    size = min(neighbours + 1, tree.n)
    farthest = tree.query(tree.data, k=size)[0][:, -1]
    return (size - 1) / (np.pi * float(np.median(farthest)) ** 2)


def _check_offset(tree: cKDTree, offsets: np.ndarray, fix: str) -> None:
    """InputError if most spots have another at one offset, and few have one on either side.

    `offsets` (spots, 2) lead from each spot to its nearest.
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
    """`_check_scattered` where only the coordinates are known, and are those of an array.

    Cells and beads whose coordinates were rounded are on an array of whole pixels as well, but none
    is adjacent to another there.
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
    """Coordinates as whole steps (int, spots x 2), if they are rows and columns of some array."""
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
    """InputError if array positions and coordinates are not of the same spots."""
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
    """InputError if pixels are the array's rows and columns, on a hexagonal array.

    Where the array is not `known`, it is the coordinates in whole steps, in either order.
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
    """Whether a step of the row and of the column (2, x and y) are those of a hexagonal array."""
    # One row is sqrt(3) times as far as one column, which counts half a step.
    lengths = np.linalg.svd(steps / [[np.sqrt(3)], [1]], compute_uv=False)
    return bool(lengths[0] <= STRETCH * lengths[1])


def array_of(obs: pd.DataFrame) -> np.ndarray | None:
    """array_row and array_col, int (spots, 2), of a source's spots; None where it has none."""
    return obs[[*ARRAY]].to_numpy() if {*ARRAY} <= {*obs.columns} else None
