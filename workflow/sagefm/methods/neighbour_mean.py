"""Principal components of the neighbourhood's mean expression: what training has to beat.

On the paper's graph the mean over a spot and its 14 nearest is all the network ever sees.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sagefm.methods.registry import option

if TYPE_CHECKING:
    import numpy as np

    from sagefm.cohort import Cohort

SPATIAL = True
TRANSDUCTIVE = True
SOURCE = "the input of the paper's network (arXiv:2601.15504), untrained"


@dataclass(frozen=True)
class Options:
    """What the config may set."""

    components: int = option(50, "Principal components.")
    normalisation: Literal["log1p", "log1p_cp10k"] = option("log1p", "As for a model.")


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Principal components (spots, components)."""
    from sagefm.principal import principal_components

    means = cohort.neighbour_mean(options.normalisation)
    return principal_components(means, options.components, seed)[0]
