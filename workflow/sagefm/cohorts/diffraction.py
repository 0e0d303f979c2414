"""Find the array of scattered spots if too few of them are adjacent to show it.

Any part of an array, however few its spots, scatters waves only in the directions of the whole
array, like a crystal with vacancies. Two of these directions give the steps of the array.
"""

import numpy as np
from scipy.fft import next_fast_len
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

MOST = 250
"""Number of spots used: those nearest to the middle one."""

FINEST, COARSEST = 6, 1.3
"""Range of pitches searched, as median distance between nearest spots divided by the pitch."""

CLEAR = 0.6
"""Spots are on an array if the wave has at least this share of an exact array's. It is 1 if every
spot is in place, and up to 4 / sqrt(spots) without an array."""

CELLS = 1400
"""Maximum number of cells along the longer side of the coarse map."""

FEWEST = 45
"""Minimum number of spots with which chance does not reach `CLEAR`."""

PEAKS = 24
"""Number of highest peaks of the coarse map that are examined closely."""


def hidden_pitch(spatial: np.ndarray) -> float:
    """Return the distance of neighbours on scattered spots' array in pixels; 0 if there is none.

    Parameters
    ----------
    spatial
        float64 (spots, 2), pixels.
    """
    if len(spatial) < FEWEST:
        return 0.0
    tree = cKDTree(spatial)
    middle = tree.query(np.median(spatial, axis=0))[1]
    points = spatial[tree.query(spatial[middle], k=min(MOST, tree.n))[1]]
    apart = float(np.median(tree.query(points, k=2)[0][:, 1]))
    if not apart:
        return 0.0
    waves = sorted(_waves(points - points.min(axis=0), apart), key=np.linalg.norm)
    for second in waves[1:]:
        steps = np.stack([waves[0], second])
        if abs(np.linalg.det(steps)) > 0.3 * np.linalg.norm(steps, axis=1).prod():
            return _shortest(np.linalg.inv(steps).T)
    return 0.0


def _waves(points: np.ndarray, apart: float) -> list[np.ndarray]:
    """Return waves (cycles per pixel in x and y) that have about the same phase at all points."""
    cell = max(apart / FINEST / 4, float(points.max()) / CELLS)
    cells = np.round(points / cell).astype(int)
    size = next_fast_len(int(cells.max() * 1.5), real=True)
    image = np.zeros((size, size), dtype=np.float32)
    np.add.at(image, tuple(cells.T), 1)
    power = np.abs(np.fft.rfft2(image)) / len(points)
    frequency = np.meshgrid(np.fft.fftfreq(size, cell), np.fft.rfftfreq(size, cell), indexing="ij")
    length = np.hypot(*frequency)
    power[(length < COARSEST / apart) | (length > 1.2 * FINEST / apart)] = 0
    power[maximum_filter(power, size=3, mode="wrap") > power] = 0
    highest = np.argsort(power, axis=None)[::-1][:PEAKS]
    found = []
    bins = np.linspace(-1, 1, 21) / (size * cell)
    around = np.stack(np.meshgrid(bins, bins), axis=-1).reshape(-1, 2)
    for wave in np.stack([part.ravel()[highest] for part in frequency], axis=1):
        # Refined, since a peak may be between two bins of the map.
        near = wave + around
        exact = np.abs(np.exp(2j * np.pi * (points @ near.T)).mean(axis=0))
        if exact.max() > CLEAR:
            found.append(near[exact.argmax()])
    return found


def _shortest(steps: np.ndarray) -> float:
    """Return the length of an array's shortest step, given any two of its steps (2, 2)."""
    short, long = sorted(steps, key=np.linalg.norm)
    while True:
        long = long - np.round(long @ short / (short @ short)) * short
        if np.linalg.norm(long) >= 0.999 * np.linalg.norm(short):
            return float(np.linalg.norm(short))
        short, long = long, short
