"""Identify the spot of each row of the released file, by its neighbours in the file if it differs.

The file holds sections one after another, with spots in order. A row that equals no spot is between
rows that do, so its place shows which spot it should be.
"""

import numpy as np
import pandas as pd


def chosen_spots(pairs: pd.DataFrame, n_rows: int, tolerance: float) -> np.ndarray:
    """Choose a spot for every row that equals at least one: int64 (rows,), -1 for the others.

    A row may equal several spots, for example of sections that were deposited twice. Then the spot
    that continues the rows before is chosen, or else the first.

    Parameters
    ----------
    pairs
        Pairs from `search.find_rows`.
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
    """Fill in the spots of rows between identified ones: int64 (rows,), -1 if unknown.

    A gap is filled if it has as many rows as there are spots missing: within one section, or from
    one section's last spots to the next one's first.

    Parameters
    ----------
    chosen
        Spots from `chosen_spots`.
    starts
        int64 (sections,): first spot of each section.
    n_spots
        Number of spots in all sections.
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
