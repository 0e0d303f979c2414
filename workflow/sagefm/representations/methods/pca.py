"""Principal components of each spot's own expression: no neighbour, no training."""

from typing import TYPE_CHECKING

from sagefm.plotting.colours import NEUTRAL
from sagefm.representations.untrained import Untrained as Options

if TYPE_CHECKING:
    import numpy as np

    from sagefm.sections.cohort import Cohort

TITLE = "PCA"

ROLE = "untrained"

IN_WORDS = "PCA of single spots"

COLOUR = NEUTRAL

SPATIAL = False

TRANSDUCTIVE = True

SOURCE = "as scanpy.pp.pca does (Wolf et al. 2018, doi:10.1186/s13059-017-1382-0)"


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Principal components (spots, components)."""
    from sagefm.representations.untrained import aligned, expression_of
    from sagefm.stats.components import principal_components

    found = principal_components(expression_of(cohort, options), options.components, seed)[0]
    return aligned(found, cohort, options, seed)
