"""Principal components of each spot's own expression, without neighbours or training."""

from typing import TYPE_CHECKING

from sagefm.plotting.colours import NEUTRAL
from sagefm.representations.untrained import Untrained as Options
from sagefm.representations.untrained import components_bytes

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


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    return components_bytes(options, spots, genes)


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Return principal components (spots, components)."""
    from sagefm.representations.untrained import aligned, components_of

    return aligned(components_of(cohort, options, seed), cohort, options, seed)
