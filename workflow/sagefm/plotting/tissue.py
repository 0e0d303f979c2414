"""Spots on the tissue's image: discs of the array's pitch, and a scale bar in micrometres.

In full-resolution pixels, y downwards as in the image.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.transforms import ScaledTranslation

from sagefm.graphs.neighbourhoods import spot_spacing
from sagefm.plotting.histology import Tissue, micrometres_a_pixel

STRENGTH = 0.4
"""Of an image under spots, the rest being white: colours of spots stay what the legend says."""

SPOT_SHARE = 0.8
"""Diameter of a spot on an image, by the pitch: the tissue shows between spots."""


def spot_pitch(at: np.ndarray) -> float:
    """Diameter of the discs of spots (rows of x, y in pixels), at which neighbours touch."""
    return spot_spacing(at) if len(np.unique(at, axis=0)) > 1 else 1.0


def map_shape(at: np.ndarray, pitch: float, flattest: float, tallest: float) -> float:
    """Height of a map of spots by its width, between the two bounds given."""
    width, height = np.ptp(at, axis=0) + 2 * pitch
    return float(np.clip(height / width, flattest, tallest))


def draw_spots(
    ax: Axes, at: np.ndarray, pitch: float, tissue: Tissue | None = None, **colouring
) -> EllipseCollection:
    """Draw spots in a frame about them: discs that touch, or smaller ones on the tissue's image.

    Parameters
    ----------
    at
        (spots, 2), full-resolution pixels (x, y).
    pitch
        Of `spot_pitch`.
    tissue
        Of the spots' section; its image, if there is one, is drawn faintly below them.
    colouring
        matplotlib's: `facecolors`, or `array` with `cmap` and `clim`.
    """
    low, high = at.min(axis=0) - pitch, at.max(axis=0) + pitch
    image = tissue.image if tissue else None
    if image:
        _draw_image(ax, *image, low, high)
    size = np.full(len(at), pitch * (SPOT_SHARE if image else 1))
    discs = EllipseCollection(
        size, size, np.zeros(len(at)), units="x", linewidths=0, offsets=at,
        offset_transform=ax.transData, rasterized=True, **colouring,
    )  # fmt: skip
    ax.add_collection(discs)
    (left, top), (right, bottom) = low, high
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return discs


def extended(values: np.ndarray, ends: tuple[float, float]) -> str:
    """At which ends of a colour bar an arrow marks values beyond it, as matplotlib names them."""
    outside = bool((values < ends[0]).any()), bool((values > ends[1]).any())
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[outside]


def _draw_image(
    ax: Axes, image: np.ndarray, scale: float, low: np.ndarray, high: np.ndarray
) -> None:
    """The part of an image between two corners (x, y in full-resolution pixels), faintly."""
    size = image.shape[1::-1]
    x, y = np.clip(np.floor(low * scale), 0, size).astype(int)
    right, bottom = np.clip(np.ceil(high * scale), 0, size).astype(int)
    part = image[y:bottom, x:right].astype(np.float32)
    if part.size:
        faint = np.round(255 - STRENGTH * (255 - part)).astype(np.uint8)
        extent = (x / scale, right / scale, bottom / scale, y / scale)
        ax.imshow(faint, extent=extent, zorder=0)


def draw_scale_bar(ax: Axes, at: np.ndarray, tissue: Tissue | None, below: float = 5) -> None:
    """Draw a bar of at most a third of a map's width under it, and its length in micrometres.

    Nothing is drawn where the array's pitch is not known.

    Parameters
    ----------
    ax
        After `draw_spots`.
    at
        The section's spots, as drawn.
    below
        Distance to the map, in points.
    """
    unit = micrometres_a_pixel(at, tissue.pitch) if tissue else 0.0
    if not unit:
        return
    left, right = ax.get_xlim()
    most = (right - left) / 3 * unit
    power = 10 ** np.floor(np.log10(most))
    length = power * max(step for step in (1, 2, 5) if step * power <= most)
    end = left + length / unit
    down = ScaledTranslation(0, -below / 72, ax.figure.dpi_scale_trans)
    place: dict[str, Any] = {"transform": ax.get_xaxis_transform() + down, "clip_on": False}
    ax.plot([left, end], [0, 0], color="black", lw=1.5, solid_capstyle="butt", **place)
    words = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    ax.text(end, 0, f" {words}", va="center", fontsize=7, **place)


def most_labelled(spots: pd.DataFrame, drop: Sequence[str]) -> list[str]:
    """Sections that have labels other than those dropped, with the most of them first."""
    labels = spots[~spots["label"].isin(drop)].dropna(subset="label").groupby("sample")["label"]
    return [*labels.nunique().sort_values(ascending=False, kind="stable").index]
