"""Which rows of a task's score table are meant: the headline protocol's, the best ones."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import pandas as pd

from sagefm.common.errors import InputError, hint

PROTOCOLS = ("random_spots", "spatial_blocks", "held_out_samples", "held_out_patients")
"""How spots are split, from the most optimistic way to the one that counts."""

UNASSIGNED = "unassigned"
"""The class of spots at which no gene set leads, where labels are derived from them."""


def spot_sections(spots: pd.DataFrame) -> np.ndarray:
    """The section of each spot, one name for all its copies; str (spots,)."""
    return spots.get("section", spots["sample"]).to_numpy(dtype=str)


def check_named(
    there: AbstractSet[str], drop: Sequence[str], merge: Mapping[str, Sequence[str]]
) -> None:
    """InputError if `drop` or `merge` names a class that is not there, or one twice."""
    named = [*drop, *(old for olds in merge.values() for old in olds)]
    for name in named:
        if name not in there:
            raise InputError(f"no spot is labelled `{name}`; {hint(name, sorted(there))}.")
        if named.count(name) > 1:
            raise InputError(f"class `{name}` is dropped or merged twice. Fix: name it once.")


MAJORITY = "majority"

HEADLINE = "patient_balanced_accuracy"
"""The score that tables rank by, figures show, and comparisons test: see `by_patient`."""

KEYS = ["representation", "centred", "classifier", "protocol"]
"""What one set of predictions goes by."""

NAMES = ("sample", "section", "patient", "spot", "fold")

CLASSES = ("label", "source_label", "truth", "predicted", "class", "headline", "best")

TEXT = dict.fromkeys((*NAMES, *CLASSES), str)
"""Types to read a task's tables with: spots and classes may be called `1`, `2`, `3`."""


def headline_protocol(scores: pd.DataFrame) -> str:
    """The protocol that counts: held-out patients if scored, else samples, blocks, or spots."""
    scored = set(scores.loc[scores["representation"] != MAJORITY, "protocol"])
    return next(protocol for protocol in reversed(PROTOCOLS) if protocol in scored)


def best_of(scores: pd.DataFrame, classifier: str, without: Collection[str] = ()) -> pd.Series:
    """The row of the best `HEADLINE` under the headline protocol on all patients.

    The majority class, and the representations named, are left out.
    """
    own = scores[
        (scores["protocol"] == headline_protocol(scores))
        & (scores["subset"] == "all")
        & (scores["classifier"] == classifier)
        & ~scores["representation"].isin([MAJORITY, *without])
    ]
    return own.loc[own[HEADLINE].idxmax()]
