"""What lies under a section's spots: its H&E image, and its scale. Readable without matplotlib."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import h5py
import numpy as np
from scipy.spatial import cKDTree

from sagefm.common.h5ad import as_h5ad, h5_image
from sagefm.graphs.lattice import REACH
from sagefm.graphs.neighbourhoods import spot_spacing

PITCH = {"Visium": 100.0, "Spatial Transcriptomics": 200.0}
"""Distance of neighbouring spots in micrometres, by technology (10x Genomics CG000160; Stahl et al.
2016, doi:10.1126/science.aaf2403)."""


IN_SAMPLE = "uns/spatial/{}"
"""Where a harmonised sample has its image."""


@dataclass(frozen=True)
class Tissue:
    """What is drawn of a section beside its spots; nothing is read until it is drawn.

    Parameters
    ----------
    file
        An HDF5 file.
    place
        The group of it that has the image, if there is one.
    pitch
        Distance of neighbouring spots in micrometres; 0 if it is not known.
    """

    file: Path
    place: str
    pitch: float = 0.0

    @classmethod
    def of_sample(cls, path: str | Path, pitch: float = 0.0) -> "Tissue":
        """The tissue of a harmonised sample (h5ad)."""
        return cls(Path(path), IN_SAMPLE.format(Path(path).stem), pitch)

    @cached_property
    def image(self) -> tuple[np.ndarray, float] | None:
        """The image, uint8 (rows, columns, 3), and its pixels by full-resolution ones, or None.

        Raises
        ------
        InputError
            If the file cannot be read.
        """
        with as_h5ad(self.file), h5py.File(self.file) as file:
            if f"{self.place}/images/hires" not in file:
                return None
            found = file[self.place]
            scale = float(found["scalefactors/tissue_hires_scalef"][()])
            return found["images/hires"][:], scale


NO_TISSUES: Mapping[str, Tissue] = MappingProxyType({})
"""Spots alone, as far as is known."""


def write_tissues(path: str | Path, samples: Iterable[str | Path], rows: Iterable[Mapping]) -> None:
    """Write the images and pitches of a cohort's sections into one file, for `read_tissues`.

    A map shows a few of them, but only the job that draws it knows which: so it depends on this one
    file in place of all samples of the cohort.

    Parameters
    ----------
    path
        HDF5: a group for each section, as its sample has the image, with the attribute `pitch`.
    samples
        Harmonised samples (h5ad).
    rows
        Of the cohort's sheet: sample, technology.

    Raises
    ------
    InputError
        If a sample cannot be read, or the disk is full.
    """
    pitches = {row["sample"]: PITCH.get(row["technology"], 0.0) for row in rows}
    with h5_image(path) as out:
        for sample in map(Path, samples):
            name, place = sample.stem, IN_SAMPLE.format(sample.stem)
            with as_h5ad(sample), h5py.File(sample) as file:
                if place in file:
                    file.copy(place, out, name)
            out.require_group(name).attrs["pitch"] = pitches.get(name, 0.0)


def read_tissues(path: str | Path) -> dict[str, Tissue]:
    """The tissue of each section of a cohort, by name, from the file of `write_tissues`.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    with as_h5ad(path), h5py.File(path) as file:
        return {
            name: Tissue(Path(path), name, float(group.attrs["pitch"]))
            for name, group in file.items()
        }


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
