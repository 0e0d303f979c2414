"""Which spot a row of the released file is, by its neighbours in the file where it differs.

The file holds sections one after another, their spots in order. So a row that equals no spot lies
between rows that do, and its place tells which spot it should be.
"""

import numpy as np
import pandas as pd


def chosen_spots(pairs: pd.DataFrame, n_rows: int, tolerance: float) -> np.ndarray:
    """A spot for every row that equals some: int64 (rows,), -1 for the others.

    A row may equal several spots, as those of sections that were deposited twice do: then it is the
    one that continues the rows before, or else the first.

    Parameters
    ----------
    pairs
        Of `search.find_rows`.
    """
    equal = pairs[pairs["difference"] <= tolerance].sort_values(["row", "spot"])
    chosen = np.full(n_rows, -1, dtype=np.int64)
    row, shift, continued = -1, 0, 0
    for own, spot in zip(equal["row"].to_numpy(), equal["spot"].to_numpy(), strict=True):
        if own != row:
            row, continued = own, shift
        if chosen[own] < 0 or spot - own == continued:
            chosen[own], shift = spot, spot - own
    return chosen


def aligned_spots(chosen: np.ndarray, starts: np.ndarray, n_spots: int) -> np.ndarray:
    """The same, with the spots that rows between others must be: int64 (rows,), -1 if unknown.

    A gap is filled where it has as many rows as spots are missing: inside one section, or from one
    section's last spots to the next one's first.

    Parameters
    ----------
    chosen
        Of `chosen_spots`.
    starts
        int64 (sections,): each section's first spot.
    n_spots
        Spots of all sections.
    """
    filled = chosen.copy()
    ends = np.append(starts[1:], n_spots)
    missing = np.flatnonzero(np.diff(np.concatenate([[0], chosen < 0, [0]])))
    for first, stop in missing.reshape(-1, 2):
        before = chosen[first - 1] if first else None
        after = chosen[stop] if stop < len(chosen) else None
        length = stop - first
        if before is not None and after is not None and after - before == length + 1:
            filled[first:stop] = np.arange(before + 1, after)
            continue
        tail = 0 if before is None else ends[_section(starts, before)] - 1 - before
        lead = 0 if after is None else after - starts[_section(starts, after)]
        if tail + lead == length:
            if before is not None:
                filled[first : first + tail] = np.arange(before + 1, before + 1 + tail)
            if after is not None:
                filled[stop - lead : stop] = np.arange(after - lead, after)
    return filled


def _section(starts: np.ndarray, spot: int) -> int:
    return int(np.searchsorted(starts, spot, side="right")) - 1
