"""The niche twice: its absolute expression, and relative to its section.

The niche is the mean expression of a spot and its ring, as in NichePCA. For the relative part, it
is centred or z-scored within the section. Components of both parts are concatenated: one keeps the
absolute level, the other the difference from the section.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sagefm.representations.method import FLOAT32, FLOAT64, option, stacked_bytes
from sagefm.representations.untrained import Untrained

if TYPE_CHECKING:
    import numpy as np

    from sagefm.sections.cohort import Cohort

TITLE = "niche, absolute and relative"

ROLE = "untrained"

COLOUR = "#663300"

SPATIAL = True

TRANSDUCTIVE = True

SOURCE = "this project"


@dataclass(frozen=True)
class Options(Untrained):
    """Settings from the config."""

    components: int = option(30, "Number of principal components of each part.")
    within_section: Literal["z_score", "centre"] = option(
        "z_score", "How the relative part is computed: z-scored or centred, gene by gene."
    )


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    chosen = options.n_top_genes or genes
    return stacked_bytes(spots, genes) + spots * chosen * (2 * FLOAT32 + 2 * FLOAT64)


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Return components of the absolute niche, then of the relative one: (spots, 2 components).

    Memory holds three dense matrices of the chosen genes: two in single, one in double precision.
    """
    import numpy as np

    from sagefm.representations.rings import ring_mean
    from sagefm.representations.untrained import aligned, expression_of
    from sagefm.sections.cohort import cohort_obs
    from sagefm.stats.components import dense_components

    niche = (ring_mean(cohort) @ expression_of(cohort, options)).toarray()
    samples = cohort_obs(cohort.samples)["sample"].to_numpy()
    parts = (niche, relative(niche, samples, options.within_section == "z_score"))
    found = [dense_components(part, options.components) for part in parts]
    return aligned(np.concatenate(found, axis=1, dtype=np.float32), cohort, options, seed)


def relative(values: "np.ndarray", samples: "np.ndarray", scaled: bool) -> "np.ndarray":
    """Subtract sample means from values (spots, genes); if `scaled`, divide by standard deviations.

    A gene that does not vary in a sample is 0 there.
    """
    import numpy as np

    result = np.empty_like(values)
    for sample in dict.fromkeys(samples):
        rows = samples == sample
        result[rows] = values[rows] - values[rows].mean(axis=0)
        if scaled:
            spread = values[rows].std(axis=0)
            varying = spread > 1e-6
            result[rows] = np.where(varying, result[rows] / np.where(varying, spread, 1), 0)
    return result
