"""SIGN: components of each spot, averaged over rings 0, 1, ... times and concatenated.

As in SIGN, features are propagated along the graph beforehand. The network that SIGN trains on them
is replaced by the classifier. Averages are means over a spot and its ring.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagefm.plotting.colours import OKABE_ITO
from sagefm.representations.method import option
from sagefm.representations.untrained import Untrained, components_bytes

if TYPE_CHECKING:
    import numpy as np

    from sagefm.sections.cohort import Cohort

TITLE = "PCA over 0 to n rings"

ROLE = "untrained"

IN_WORDS = "PCA averaged over rings"

COLOUR = OKABE_ITO["yellow"]

SPATIAL = True

TRANSDUCTIVE = True

SOURCE = "Frasca et al. 2020, arXiv:2004.11198"


@dataclass(frozen=True)
class Options(Untrained):
    """Settings from the config."""

    components: int = option(30, "Principal components of each spot.")
    rings: int = option(3, "Number of times that components are averaged over the ring.")

    def __post_init__(self) -> None:
        """Refuse a negative number of rings."""
        if self.rings < 0:
            raise ValueError(f"`rings` is {self.rings}, but cannot be negative.")


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    return components_bytes(options, spots, genes)


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Return components averaged 0, 1, ... times: (spots, (rings + 1) components)."""
    import numpy as np

    from sagefm.representations.rings import ring_mean
    from sagefm.representations.untrained import aligned, components_of

    average = ring_mean(cohort)
    hops = [aligned(components_of(cohort, options, seed), cohort, options, seed)]
    for _ in range(options.rings):
        hops.append(average @ hops[-1])
    return np.concatenate(hops, axis=1, dtype=np.float32)
