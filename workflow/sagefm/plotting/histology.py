"""What lies under a section's spots: its H&E image, and its scale. Readable without matplotlib."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import h5py
import numpy as np
from scipy.spatial import cKDTree

from sagefm.common.h5ad import as_h5ad
from sagefm.graphs.lattice import REACH
from sagefm.graphs.neighbourhoods import spot_spacing

PITCH = {"Visium": 100.0, "Spatial Transcriptomics": 200.0}
"""Distance of neighbouring spots in micrometres, by technology (10x Genomics CG000160; Stahl et al.
2016, doi:10.1126/science.aaf2403)."""


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


def micrometres_a_pixel(at: np.ndarray, pitch: float) -> float:
    """Of a section's spots (rows of x, y in pixels), `pitch` micrometres apart; 0 if not known."""
    spacing = neighbour_distance(at)
    return pitch / spacing if pitch and spacing else 0.0


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
