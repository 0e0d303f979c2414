"""Random numbers, which show what a score is by chance."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagefm.plotting.colours import PREDICTOR_COLOURS
from sagefm.representations.method import FLOAT32, option

if TYPE_CHECKING:
    import numpy as np

    from sagefm.sections.cohort import Cohort

TITLE = "random numbers"

ROLE = "control"

COLOUR = PREDICTOR_COLOURS["random"]

SPATIAL = False

TRANSDUCTIVE = False

SOURCE = "independent standard normal numbers"


@dataclass(frozen=True)
class Options:
    """Settings from the config."""

    components: int = option(50, "Number of random values per spot.")


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    return 2 * spots * options.components * FLOAT32


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Return standard normal numbers (spots, components), drawn separately for each sample."""
    import numpy as np

    from sagefm.sections.cohort import cohort_obs
    from sagefm.sections.masks import sample_key

    samples = cohort_obs(cohort.samples)["sample"].astype(str)
    blocks = []
    for name, spots in samples.groupby(samples, sort=False).size().items():
        rng = np.random.default_rng([seed, sample_key("", str(name))])
        blocks.append(rng.standard_normal((spots, options.components), dtype=np.float32))
    return np.concatenate(blocks)
