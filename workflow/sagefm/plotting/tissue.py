"""Spots on the tissue: its image, discs of the array's pitch, and a scale bar in micrometres.

In full-resolution pixels, y downwards as in the image.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.transforms import ScaledTranslation
from scipy.spatial import cKDTree

from sagefm.common.h5ad import as_h5ad
from sagefm.graphs.lattice import REACH
from sagefm.graphs.neighbourhoods import spot_spacing

PITCH = {"Visium": 100.0, "Spatial Transcriptomics": 200.0}
"""Distance of neighbouring spots in micrometres, by technology (10x Genomics CG000160; Stahl et al.
2016, doi:10.1126/science.aaf2403)."""

STRENGTH = 0.4
"""Of an image under spots, the rest being white: colours of spots stay what the legend says."""

SPOT_SHARE = 0.8
"""Diameter of a spot on an image, by the pitch: the tissue shows between spots."""


@dataclass(frozen=True)
class Tissue:
    """What is drawn of a section beside its spots; nothing is read until it is drawn.

    Parameters
    ----------
    sample
        The harmonised sample, which has the image if there is one.
    pitch
        Distance of neighbouring spots in micrometres; 0 if it is not known.
    """

    sample: Path
    pitch: float = 0.0

    @cached_property
    def image(self) -> tuple[np.ndarray, float] | None:
        """The image, uint8 (rows, columns, 3), and its pixels by full-resolution ones, or None.

        Raises
        ------
        InputError
            If the sample cannot be read.
        """
        place = f"uns/spatial/{self.sample.stem}"
        with as_h5ad(self.sample), h5py.File(self.sample) as file:
            if place not in file:
                return None
            found = file[place]
            scale = float(found["scalefactors/tissue_hires_scalef"][()])
            return found["images/hires"][:], scale


NO_TISSUES: Mapping[str, Tissue] = MappingProxyType({})
"""Spots alone, as far as is known."""


def tissues_of(samples: Iterable[str | Path], rows: Iterable[Mapping]) -> dict[str, Tissue]:
    """The tissue of each section of a cohort, by name.

    Parameters
    ----------
    samples
        Harmonised samples (h5ad).
    rows
        Of the cohort's sheet: sample, technology.
    """
    pitches = {row["sample"]: PITCH.get(row["technology"], 0.0) for row in rows}
    paths = map(Path, samples)
    return {path.stem: Tissue(path, pitches.get(path.stem, 0.0)) for path in paths}


def spot_pitch(at: np.ndarray) -> float:
    """Diameter of the discs of spots (rows of x, y in pixels), at which neighbours touch."""
    return spot_spacing(at) if len(np.unique(at, axis=0)) > 1 else 1.0


def neighbour_distance(at: np.ndarray) -> float:
    """Distance of neighbours on the array (rows of x, y in pixels); 0 if no two spots are apart.

    The median over all pairs of neighbours. The nearest of them alone is too near where spots are
    printed unevenly, by 7% in Spatial Transcriptomics.
    """
    places = np.unique(at, axis=0)
    if len(places) < 2:
        return 0.0
    pairs = cKDTree(places).query_pairs(REACH * spot_spacing(places), output_type="ndarray")
    return float(np.median(np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)))


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
    spacing = neighbour_distance(at)
    if not tissue or not tissue.pitch or not spacing:
        return
    left, right = ax.get_xlim()
    most = (right - left) / 3 * tissue.pitch / spacing
    power = 10 ** np.floor(np.log10(most))
    length = power * max(step for step in (1, 2, 5) if step * power <= most)
    end = left + length * spacing / tissue.pitch
    down = ScaledTranslation(0, -below / 72, ax.figure.dpi_scale_trans)
    place: dict[str, Any] = {"transform": ax.get_xaxis_transform() + down, "clip_on": False}
    ax.plot([left, end], [0, 0], color="black", lw=1.5, solid_capstyle="butt", **place)
    words = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    ax.text(end, 0, f" {words}", va="center", fontsize=7, **place)


def most_labelled(spots: pd.DataFrame, drop: Sequence[str]) -> list[str]:
    """Sections that have labels other than those dropped, with the most of them first."""
    labels = spots[~spots["label"].isin(drop)].dropna(subset="label").groupby("sample")["label"]
    return [*labels.nunique().sort_values(ascending=False, kind="stable").index]
