"""Titles of perturbation figures state what the tables hold, whatever the result."""

import numpy as np
import pandas as pd
import pytest

from sagefm.perturbation.terms import FAIR
from sagefm.perturbation.titles import (
    pairs_counted,
    pairs_found,
    responses_alike,
    slopes_compared,
)


def test_pairs_are_counted_on_both_sides_and_without_those_that_cannot_respond():
    pairs = pd.DataFrame(
        {
            "slope": [2.0, 0.0, 2.0, 0.0, 1.1],
            f"slope_{FAIR}": 1.0,
            "sign": [1, 1, -1, 1, 1],
            f"q_{FAIR}": [0.01, 0.01, 0.01, 0.01, np.nan],
            "unmoved": [False, False, False, True, False],
        }
    )
    assert pairs_counted(pairs) == (
        "1 of 5 pairs respond more than genes of similar expression, 2 less (FDR 5%); "
        "1 cannot respond"
    )


def summary(difference: float, p: float) -> pd.DataFrame:
    row = {"direction": "forward", "control": FAIR, "matched": 0.002, "reference": 0.001}
    table = pd.DataFrame([row | {"unit": "patients"}, row | {"unit": "inputs"}])
    return table.assign(difference=[9.0, difference], p_holm=[1e-9, p])


@pytest.mark.parametrize(
    ("difference", "p", "words"),
    [
        (0.001, 0.01, "significantly above (Holm p 0.01)"),
        (-0.001, 0.01, "significantly below (Holm p 0.01)"),
        (0.001, 0.05, "no significant difference (Holm p 0.05)"),
        (0.001, np.nan, "no significant difference (Holm p too few to tell)"),
    ],
)
def test_slopes_are_compared_over_inputs(difference, p, words):
    found = slopes_compared(summary(difference, p), 1000, "mU")
    means = "Mean slope of pairs 2.0, of genes of similar expression 1.0 (mU per log1p): "
    assert found == means + words


def test_pairs_without_controls_are_said_to_have_none():
    assert slopes_compared(summary(np.nan, np.nan), 1, "").startswith("No pair could be compared")


@pytest.mark.parametrize(
    ("ends", "inputs", "words"),
    [
        ((0.01, 0.1), 6, "significantly above"),
        ((-0.1, -0.01), 6, "significantly below"),
        ((-0.1, 0.1), 6, "not significantly different from"),
        ((0.01, 0.1), 2, "not significantly different from"),
        ((np.nan, np.nan), 6, "not significantly different from"),
    ],
)
def test_slopes_are_held_against_coexpression(ends, inputs, words):
    known = pd.DataFrame(
        {
            "direction": "forward",
            "score": ["slope", "coexpression_pooled"],
            "auroc": [0.6, np.nan],
            "slope_advantage_low": ends[0],
            "slope_advantage_high": ends[1],
            "n_inputs": inputs,
        }
    )
    title = f"AUROC of pairs by slope 0.60, {words} co-expression (too few to tell)"
    assert pairs_found(np.empty((0, 2)), known) == title
    effects = np.array([[1.0, 0.0], [0.0, 0.0]])  # equal is not larger
    assert pairs_found(effects, known) == f"{title}; forward effect larger in 50% of 2 pairs"


def pair(low: float, response: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"low": low, "response": response})


ALIKE, UNLIKE, SHUT = pair(1, [1.0, 1.1]), pair(1, [1.0, -1.0]), pair(0, [0.0, 0.0])


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([ALIKE], "The response hardly differs from spot to spot"),
        ([UNLIKE], "The response differs from spot to spot"),
        ([ALIKE, UNLIKE], "1 of 2 responses hardly differ from spot to spot"),
        ([ALIKE, SHUT], "The response hardly differs from spot to spot; 1 output cannot respond"),
        ([SHUT, SHUT], "No output can respond: the model predicts 0 at every spot"),
    ],
)
def test_responses_that_hardly_differ_are_counted_among_those_there_are(pairs, words):
    assert responses_alike(pairs) == words
