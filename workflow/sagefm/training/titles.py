"""What the figures of training show, in a sentence: their titles."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sagefm.common.text import capital, count
from sagefm.common.verdict import Training
from sagefm.networks.registry import Loss
from sagefm.plotting.style import PREDICTOR_NAMES

MOST_ORGANS = 3
"""Organs named in a title; more are counted."""


def training_course(summary: Mapping[str, Any], loss: Loss) -> str:
    """The kept epoch's validation error against the untrained neighbours' mean, and how it ended.

    Parameters
    ----------
    summary
        Of `files.summary`.
    loss
        The network's; one that is no squared error has nothing to be held against.
    """
    ended = Training.of(summary).words
    mse = summary.get("best_validation_mse")
    untrained = summary.get("validation_mse_neighbour_mean")
    if not loss.is_squared_error or not mse or not untrained:
        return capital(ended)
    percent = round(100 * (mse / untrained - 1))
    mean = f"that of the untrained {PREDICTOR_NAMES['neighbour_mean']}"
    compared = f"{abs(percent)}% {'above' if percent > 0 else 'below'}" if percent else "equal to"
    return f"Validation error {compared} {mean}; {ended}"


def organs_tested(organs: pd.DataFrame) -> str:
    """Which organs are trained on and never tested, and how many of the sections they are.

    Parameters
    ----------
    organs
        Of `pretraining_set.organs_table`.
    """
    untested = organs[(organs["train"] > 0) & (organs["test"] == 0)]
    if untested.empty:
        return "Every organ that is trained on has sections for testing"
    names = [*untested["organ"].astype(str)]
    if len(names) > MOST_ORGANS:
        names = [*names[: MOST_ORGANS - 1], f"{len(names) - MOST_ORGANS + 1} more"]
    said = " and ".join([", ".join(names[:-1]), names[-1]][len(names) == 1 :])
    of = count(organs["train"].sum(), "training section")
    return f"Trained on, but not tested: {said} ({untested['train'].sum():,} of {of})"
