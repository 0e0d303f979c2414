"""Each spot's own expression without reduction: every gene of the panel is a feature."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sagefm.plotting.colours import GREY
from sagefm.representations.method import option, stacked_bytes

if TYPE_CHECKING:
    import scipy.sparse as sp

    from sagefm.sections.cohort import Cohort

TITLE = "raw expression"

ROLE = "input"

COLOUR = GREY

SPATIAL = False

TRANSDUCTIVE = False

SOURCE = "log1p of the counts of the panel's genes: the paper's input (arXiv:2601.15504)"


@dataclass(frozen=True)
class Options:
    """Settings from the config."""

    normalisation: Literal["log1p", "log1p_cp10k"] = option(
        "log1p", "Normalisation, as for models."
    )


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    return stacked_bytes(spots, genes)


def represent(cohort: "Cohort", options: Options, seed: int) -> "sp.csr_matrix":
    """Return normalised expression: CSR (spots, genes)."""
    return cohort.expression(options.normalisation)
