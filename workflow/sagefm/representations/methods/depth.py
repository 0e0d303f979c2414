"""Depth alone: log counts of a spot and of the rings around it.

Depth differs between tissues. A representation that scores no better may have learnt depth alone.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagefm.representations.method import FLOAT64, option

if TYPE_CHECKING:
    import numpy as np

    from sagefm.sections.cohort import Cohort

TITLE = "depth alone"

ROLE = "control"

COLOUR = "#DDD8B0"

SPATIAL = True

TRANSDUCTIVE = False

SOURCE = "after Bhuva et al. 2024, doi:10.1186/s13059-024-03241-7"


@dataclass(frozen=True)
class Options:
    """Settings from the config."""

    rings: int = option(3, "Number of rings around the spot, each one feature.")

    def __post_init__(self) -> None:
        """Refuse a negative number of rings."""
        if self.rings < 0:
            raise ValueError(f"`rings` is {self.rings}, but cannot be negative.")


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    # Each ring has six spots more than the last, in matrices of indices and weights.
    entries = 1 + 3 * options.rings * (options.rings + 1)
    return 3 * spots * entries * FLOAT64


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Return log(1 + counts) of the spot, and of each ring's mean: (spots, rings + 1)."""
    import numpy as np

    from sagefm.representations.rings import nth_ring_means

    depth = np.concatenate([counts.sum(axis=1).A1 for counts in cohort.counts_by_section()])
    rings = [mean @ depth for mean in nth_ring_means(cohort, options.rings)]
    return np.log1p(np.stack([depth, *rings], axis=1)).astype(np.float32)
