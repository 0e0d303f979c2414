"""Principal components of the neighbourhood's mean expression, which a trained model must beat.

On the paper's graph, the network's only input is the mean over a spot and its 14 nearest.
"""

from typing import TYPE_CHECKING

from sagefm.plotting.colours import PREDICTOR_COLOURS
from sagefm.representations.untrained import Untrained as Options
from sagefm.representations.untrained import components_bytes

if TYPE_CHECKING:
    import numpy as np

    from sagefm.sections.cohort import Cohort

TITLE = "neighbour mean"

ROLE = "untrained"

IN_WORDS = "averaging neighbours"

COLOUR = PREDICTOR_COLOURS["neighbour_mean"]

SPATIAL = True

TRANSDUCTIVE = True

SOURCE = "the input of the paper's network (arXiv:2601.15504), untrained"


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    return components_bytes(options, spots, genes)


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Return principal components (spots, components)."""
    from sagefm.representations.untrained import aligned, components_of
    from sagefm.sections.cohort import Cohort

    found = components_of(cohort, options, seed, Cohort.mean_operator)
    return aligned(found, cohort, options, seed)
