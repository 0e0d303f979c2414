"""Principal components of the neighbourhood's mean expression: what training has to beat.

On the paper's graph the mean over a spot and its 14 nearest is all the network ever sees.
"""

from typing import TYPE_CHECKING

from sagefm.plotting.colours import PREDICTOR_COLOURS
from sagefm.representations.untrained import Untrained as Options

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


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Principal components (spots, components)."""
    from sagefm.representations.untrained import aligned, expression_of
    from sagefm.stats.components import principal_components

    expression, average = expression_of(cohort, options), cohort.mean_operator()
    found = principal_components(expression, options.components, seed, average)[0]
    return aligned(found, cohort, options, seed)
