"""The labels themselves: the best value that a metric can reach.

Each label of the cohort is one feature; spots without a label have zeros.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sagefm.common.errors import InputError
from sagefm.plotting.colours import OKABE_ITO
from sagefm.representations.method import FLOAT32

if TYPE_CHECKING:
    import numpy as np

    from sagefm.sections.cohort import Cohort

TITLE = "the labels"

ROLE = "ceiling"

COLOUR = OKABE_ITO["black"]

SPATIAL = False

TRANSDUCTIVE = True

SOURCE = "the cohort's label table"


@dataclass(frozen=True)
class Options:
    """No settings; the method reads the labels."""

    reads: ClassVar[tuple[str, ...]] = ("labels",)


LABELS = 64
"""Number of different labels assumed for memory; few cohorts have more."""


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    return spots * LABELS * (1 + FLOAT32)


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Return a one-hot matrix of labels in alphabetical order: float32 (spots, labels).

    Raises
    ------
    InputError
        If the cohort has no labels.
    """
    import numpy as np
    import pandas as pd

    if cohort.labels is None:
        raise InputError(
            "the cohort has no labels. Fix: set `cohorts` of this entry to cohorts that have."
        )
    return pd.get_dummies(cohort.described()["label"].astype("object")).to_numpy(np.float32)
