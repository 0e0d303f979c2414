"""NichePCA: principal components of the mean expression of a spot and the ring around it.

The ring has 6 spots on Visium and 8 on Spatial Transcriptomics; the authors use the 10 or 25
nearest cells. Their Harmony over samples is the option `harmony`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagefm.representations.method import option
from sagefm.representations.untrained import Untrained, components_bytes

if TYPE_CHECKING:
    import numpy as np

    from sagefm.sections.cohort import Cohort

TITLE = "NichePCA"

ROLE = "untrained"

COLOUR = "#1F7A7A"

SPATIAL = True

TRANSDUCTIVE = True

SOURCE = "Schaub et al. 2025, doi:10.1093/bioinformatics/btaf005"


@dataclass(frozen=True)
class Options(Untrained):
    """Settings from the config."""

    components: int = option(30, "Principal components.")


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    return components_bytes(options, spots, genes)


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Return principal components (spots, components)."""
    from sagefm.representations.rings import ring_mean
    from sagefm.representations.untrained import aligned, components_of

    found = components_of(cohort, options, seed, ring_mean)
    return aligned(found, cohort, options, seed)
