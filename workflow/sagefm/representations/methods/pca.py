"""Principal components of each spot's own expression: no neighbour, no training."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sagefm.plotting.colours import NEUTRAL
from sagefm.representations.method import option

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


@dataclass(frozen=True)
class Options:
    """What the config may set."""

    components: int = option(50, "Principal components.")
    normalisation: Literal["log1p", "log1p_cp10k"] = option("log1p", "As for a model.")


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Principal components (spots, components)."""
    from sagefm.stats.components import principal_components

    expression = cohort.expression(options.normalisation)
    return principal_components(expression, options.components, seed)[0]
