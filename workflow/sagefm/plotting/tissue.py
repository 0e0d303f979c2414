"""Spots on the tissue: discs of the array's pitch, in data units, y downwards as in the image."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection

from sagefm.graphs.neighbourhoods import spot_spacing


def spot_pitch(at: np.ndarray) -> float:
    """Diameter of the discs of spots (rows of x, y in pixels), at which neighbours touch."""
    return spot_spacing(at) if len(np.unique(at, axis=0)) > 1 else 1.0


def map_shape(at: np.ndarray, pitch: float, flattest: float, tallest: float) -> float:
    """Height of a map of spots by its width, between the two bounds given."""
    width, height = np.ptp(at, axis=0) + 2 * pitch
    return float(np.clip(height / width, flattest, tallest))


def draw_spots(ax: Axes, at: np.ndarray, pitch: float, **colouring) -> EllipseCollection:
    """Draw spots as discs that touch, whatever the figure's size, in a frame about them.

    `colouring` is matplotlib's: `facecolors`, or `array` with `cmap` and `clim`.
    """
    size = np.full(len(at), pitch)
    discs = EllipseCollection(
        size, size, np.zeros(len(at)), units="x", linewidths=0, offsets=at,
        offset_transform=ax.transData, rasterized=True, **colouring,
    )  # fmt: skip
    ax.add_collection(discs)
    (left, top), (right, bottom) = at.min(axis=0) - pitch, at.max(axis=0) + pitch
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return discs


def most_labelled(spots: pd.DataFrame, drop: Sequence[str]) -> list[str]:
    """Sections that have labels other than those dropped, with the most of them first."""
    labels = spots[~spots["label"].isin(drop)].dropna(subset="label").groupby("sample")["label"]
    return [*labels.nunique().sort_values(ascending=False, kind="stable").index]
