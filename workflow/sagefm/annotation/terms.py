"""Names in a task's tables, and selection of rows: the headline protocol's and the best."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import pandas as pd

from sagefm.common.errors import InputError, hint

PROTOCOLS = ("random_spots", "spatial_blocks", "held_out_samples", "held_out_patients")
"""Protocols for splitting spots, from the most optimistic to the one that counts."""

UNASSIGNED = "unassigned"
"""Class of spots where no gene set leads, if labels are derived from gene sets."""


def spot_sections(spots: pd.DataFrame) -> np.ndarray:
    """Return the section of each spot, with one name for all its copies: str (spots,)."""
    return spots.get("section", spots["sample"]).to_numpy(dtype=str)


def check_named(
    there: AbstractSet[str], drop: Sequence[str], merge: Mapping[str, Sequence[str]]
) -> None:
    """Raise InputError if `drop` or `merge` names an unknown class, or one twice."""
    named = [*drop, *(old for olds in merge.values() for old in olds)]
    for name in named:
        if name not in there:
            raise InputError(f"no spot is labelled `{name}`; {hint(name, sorted(there))}.")
        if named.count(name) > 1:
            raise InputError(f"class `{name}` is dropped or merged twice. Fix: name it once.")


MAJORITY = "majority"

HEADLINE = "patient_balanced_accuracy"
"""Score by which tables rank, which figures show and comparisons test (see `by_patient`)."""

KEYS = ["representation", "centred", "classifier", "protocol"]
"""Columns that identify a set of predictions."""

NAMES = ("sample", "section", "patient", "spot", "fold")

CLASSES = ("label", "source_label", "truth", "predicted", "class", "headline", "best")

TEXT = dict.fromkeys((*NAMES, *CLASSES), str)
"""Column types for reading a task's tables, since spots and classes may be named `1`, `2`, `3`."""


def headline_protocol(scores: pd.DataFrame) -> str:
    """Return the strictest protocol scored: held-out patients, else samples, blocks or spots."""
    scored = set(scores.loc[scores["representation"] != MAJORITY, "protocol"])
    return next(protocol for protocol in reversed(PROTOCOLS) if protocol in scored)


def of_first_classifier(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first classifier and of the majority class, on all patients."""
    whole = scores[scores["subset"] == "all"]
    first = whole.loc[whole["representation"] != MAJORITY, "classifier"].head(1)
    return whole[whole["classifier"].isin([*first, MAJORITY])]


def best_of(scores: pd.DataFrame, classifier: str, without: Collection[str] = ()) -> pd.Series:
    """Return the row with the best `HEADLINE` under the headline protocol on all patients.

    The majority class and the representations in `without` are left out.
    """
    own = scores[
        (scores["protocol"] == headline_protocol(scores))
        & (scores["subset"] == "all")
        & (scores["classifier"] == classifier)
        & ~scores["representation"].isin([MAJORITY, *without])
    ]
    return own.loc[own[HEADLINE].idxmax()]
