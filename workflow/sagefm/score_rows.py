"""Which rows of a task's score table are meant: the headline protocol's, the best ones."""

import re

import pandas as pd

MAJORITY = "majority"
KEYS = ["representation", "centred", "classifier", "protocol"]
"""What one set of predictions goes by."""
NAMES = ("sample", "patient", "spot", "fold")
CLASSES = ("label", "source_label", "truth", "predicted", "class", "headline", "best")
TEXT = dict.fromkeys((*NAMES, *CLASSES), str)
"""Types to read a task's tables with: spots and classes may be called `1`, `2`, `3`."""


def reported_accuracy(reported: pd.DataFrame, claim: str | None) -> float | None:
    """The paper's accuracy of a claim, 0 to 1, from the table of what it reports; None without."""
    text = " ".join(reported.loc[reported["id"] == claim, "reported"])
    found = re.match(r"(\d+(?:\.\d+)?) ?% accuracy", text)
    return float(found[1]) / 100 if found else None


def headline_protocol(scores: pd.DataFrame) -> str:
    """The protocol that counts: held-out patients if any were scored, else samples, else spots."""
    scored = set(scores.loc[scores["representation"] != MAJORITY, "protocol"])
    order = ("held_out_patients", "held_out_samples", "random_spots")
    return next(protocol for protocol in order if protocol in scored)


def best_of(scores: pd.DataFrame, classifier: str, without: str = "") -> pd.Series:
    """The row of the best balanced accuracy under the headline protocol on all patients.

    The majority class, and a representation named, are left out.
    """
    own = scores[
        (scores["protocol"] == headline_protocol(scores))
        & (scores["subset"] == "all")
        & (scores["classifier"] == classifier)
        & ~scores["representation"].isin([MAJORITY, without])
    ]
    return own.loc[own["balanced_accuracy"].idxmax()]
