"""The array that scattered spots were taken from, where too few are adjacent to show it.

A part of an array, however few its spots, scatters waves in the directions of the whole array only,
as a crystal with vacancies does. The array's steps follow from two of these directions.
"""

import numpy as np
from scipy.fft import next_fast_len
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

MOST = 250
"""Spots that are looked at: the nearest to the middle one."""

FINEST, COARSEST = 6, 1.3
"""Median distances of nearest spots over the pitches that are looked for."""

CLEAR = 0.6
"""Share of the wave of an exact array from which on spots are on one; 1 if none is off its place,
and up to 4 / sqrt(spots) where there is no array."""

CELLS = 1400
"""Cells along the longer side of the coarse map, at most."""

FEWEST = 45
"""Spots from which on chance does not reach `CLEAR`."""

PEAKS = 24
"""Highest peaks of the coarse map that are looked at closely."""


def hidden_pitch(spatial: np.ndarray) -> float:
    """Distance of neighbours on the array of scattered spots, in pixels; 0 where they are on none.

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
    """Waves (cycles a pixel in x and y) that all of the points meet in about the same phase."""
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
        # Exactly, between the bins of the map as well.
        near = wave + around
        exact = np.abs(np.exp(2j * np.pi * (points @ near.T)).mean(axis=0))
        if exact.max() > CLEAR:
            found.append(near[exact.argmax()])
    return found


def _shortest(steps: np.ndarray) -> float:
    """Length of the shortest step between places of an array, from any two of its steps (2, 2)."""
    short, long = sorted(steps, key=np.linalg.norm)
    while True:
        long = long - np.round(long @ short / (short @ short)) * short
        if np.linalg.norm(long) >= 0.999 * np.linalg.norm(short):
            return float(np.linalg.norm(short))
        short, long = long, short
