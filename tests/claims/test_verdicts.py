"""Hand-made cases of the paper's claims, each with the verdict a reviewer would give.

All but the last pass through every chapter's claim function, in tables of its own.
"""

from dataclasses import replace

import numpy as np
import pytest

from sagefm.common.verdict import Difference, Evidence, Reported, Training, judge
from support.evidence import JUDGES, RELEASED, STILL_FALLING, Case, values

NAMED = ("clustering", "subtypes")
"""Claims that say what the model is better than."""

REPORTED = ("recovery", "annotation")
"""Claims with a number of the paper's."""

TASKS = ("annotation", "subtypes")

TWO, FIVE, SIX = (dict.fromkeys(("baseline", "spatial", "untrained", "control")) for _ in range(3))
for patients, roles in ((2, TWO), (5, FIVE), (6, SIX)):
    roles.update((role, values(patients=patients)) for role in list(roles))
ONE_APART = values(0.05).copy()
ONE_APART[:3] = values(-0.09)[:3]
WOBBLE_OF_SHARES = 0.0004 * np.cos(7 * np.arange(12.0))
NOT_A_NUMBER = values(0.2) * np.nan

CASES = [
    Case("better than all", "supported", "significantly above", values(0.2)),
    Case("released and better", "supported", "significantly above", values(0.2), training=RELEASED),
    Case(
        "not converged and better",
        "inconclusive",
        "validation loss was still falling after 5 epochs; so far significantly above",
        values(0.2),
        training=STILL_FALLING,
    ),
    Case(
        "not converged and worse",
        "inconclusive",
        "validation loss was still falling after 5 epochs; so far significantly below MOFA",
        values(-0.2),
        training=STILL_FALLING,
        only=NAMED,
    ),
    Case(
        "trained too short to know whether it converged",
        "inconclusive",
        "training ended after 5 epochs, before validation loss had stopped falling",
        values(0.2),
        training=Training(5, 3, converged=False),
    ),
    Case("equal to the baselines", "inconclusive", "no significant difference", values(wobble=-1)),
    Case(
        "worse than what the claim names",
        "contradicted",
        "significantly below MOFA",
        values(-0.2),
        only=NAMED,
    ),
    Case(
        "worse than one that the claim names, better than the other",
        "contradicted",
        "significantly below BANKSY",
        values(0.2),
        spatial=values(0.4),
        only=("clustering",),
    ),
    Case(
        "less coherent than single spots",
        "contradicted",
        "significantly below PCA of single spots",
        values(-0.2),
        only=("coherent",),
    ),
    Case(
        "worse than baselines that the claim does not name",
        "inconclusive",
        "significantly below",
        values(-0.2),
        only=REPORTED,
    ),
    Case("not a number", "inconclusive", "", NOT_A_NUMBER),
    Case(
        "a constant embedding or prediction",
        "inconclusive",
        "every patient has the same value, as if the model gave a constant",
        np.zeros(12),
    ),
    Case(
        "a constant embedding, which predicts the majority class",
        "inconclusive",
        "the majority class",
        values(-0.2),
        majority=values(-0.2),
        only=("annotation",),
    ),
    Case(
        "two patients, far above",
        "inconclusive",
        "no difference can be significant with 2 patients",
        values(0.3, 2),
        **TWO,
    ),
    Case(
        "two patients, far below",
        "inconclusive",
        "no difference can be significant with 2 patients",
        values(-0.3, 2),
        **TWO,
    ),
    Case(
        "two patients, below the paper's number",
        "inconclusive",
        "no difference can be significant with 2 patients",
        values(0.3, 2),
        reported=0.91,
        **TWO,
        only=REPORTED,
    ),
    Case(
        "p just above 0.05 with a large effect",
        "inconclusive",
        "no difference can be significant with 5 patients",
        values(0.4, 5),
        **FIVE,
    ),
    Case(
        "p above 0.05 after Holm alone",
        "inconclusive",
        "no difference can be significant with 6 patients",
        values(0.4, 6),
        **SIX,
    ),
    Case(
        "a mean above, but not in every patient",
        "inconclusive",
        "no significant difference",
        ONE_APART,
    ),
    Case(
        "MOFA missing",
        "inconclusive",
        "not compared with MOFA",
        values(0.2),
        baseline=None,
        only=NAMED,
    ),
    Case(
        "MOFA missing where the claim does not name it",
        "supported",
        "significantly above",
        values(0.2),
        baseline=None,
        only=("annotation", "coherent"),
    ),
    Case(
        "MOFA the only method, where the paper says spatial methods",
        "inconclusive",
        "not compared with a spatial method",
        values(0.2),
        spatial=None,
        only=("clustering",),
    ),
    Case(
        "no untrained baseline",
        "inconclusive",
        "not compared with an untrained baseline",
        values(0.2),
        untrained=None,
        only=("clustering", *TASKS, "coherent"),
    ),
    Case(
        "no untrained neighbourhood",
        "inconclusive",
        "not compared with an untrained neighbourhood",
        values(0.2),
        spatial=None,
        only=("coherent",),
    ),
    Case(
        "an untrained baseline above the model",
        "inconclusive",
        "significantly below",
        values(0.2),
        untrained=values(0.5),
        only=("recovery", "clustering", *TASKS),
    ),
    Case(
        "averaging neighbours is more coherent",
        "inconclusive",
        "significantly below averaging neighbours",
        values(0.2),
        spatial=values(0.5),
        only=("coherent",),
    ),
    Case(
        "a control above the model",
        "inconclusive",
        "significantly below",
        values(0.2),
        control=values(0.5),
    ),
    Case(
        "a control as good as the model",
        "inconclusive",
        "no significant difference",
        values(0.2),
        control=values(0.2, wobble=-1),
    ),
    Case(
        "the majority class above the model",
        "inconclusive",
        "the majority class",
        values(0.2),
        majority=values(0.3),
        only=TASKS,
    ),
    Case(
        "the majority class as good as the model",
        "inconclusive",
        "no significant difference from the majority class",
        values(0.2),
        majority=values(0.2, wobble=-1),
        only=TASKS,
    ),
    Case(
        "saturated shares: 99.9% against 99.8%",
        "inconclusive",
        "both are as good as perfect",
        0.999 + WOBBLE_OF_SHARES,
        untrained=0.998 + 0.5 * WOBBLE_OF_SHARES,
        only=("recovery", "clustering", *TASKS, "coherent"),
    ),
    Case(
        "significantly better, on random spots",
        "inconclusive",
        "but tested on random spots, not on held-out patients",
        values(0.2),
        protocol="random_spots",
        only=TASKS,
    ),
    Case(
        "significantly worse than MOFA, on random spots",
        "inconclusive",
        "but tested on random spots",
        values(-0.2),
        protocol="random_spots",
        only=("subtypes",),
    ),
    Case(
        "a checkpoint that may have been trained on the data",
        "inconclusive",
        "but the checkpoint may have been trained on these sections",
        values(0.2),
        training=RELEASED,
        maybe_trained_on=True,
    ),
    Case(
        "the interval lies below the paper's number",
        "contradicted",
        "the interval is below the reported value",
        values(0.2),
        reported=0.91,
        only=REPORTED,
    ),
    Case(
        "below the paper's number, which the interval includes",
        "inconclusive",
        "below the reported value, which the interval includes",
        values(0.2),
        reported=0.62,
        only=REPORTED,
    ),
    Case(
        "the paper's number reached, and better than all",
        "supported",
        "significantly above",
        values(0.2),
        reported=0.58,
        only=REPORTED,
    ),
    Case(
        "the paper's number reached, and PCA as good",
        "inconclusive",
        "no significant difference",
        values(0.2),
        untrained=values(0.2, wobble=-1),
        reported=0.5,
        only=REPORTED,
    ),
    Case(
        "below the paper's number within sections, above it in pooled spots",
        "supported",
        "significantly above",
        values(0.2),
        pooled=0.93,
        reported=0.91,
        only=("recovery",),
    ),
    Case(
        "better within sections, a baseline better in pooled spots",
        "inconclusive",
        "in pooled spots",
        values(0.2),
        pooled=0.1,
        only=("recovery",),
    ),
]

PASSED = [
    pytest.param(claim, case, id=f"{claim}: {case.name}")
    for case in CASES
    for claim in case.only or JUDGES
]


@pytest.mark.parametrize(("claim", "case"), PASSED)
def test_a_claim_gets_the_verdict_a_reviewer_would_give(claim, case):
    found = JUDGES[claim](case)
    assert (found.id, found.model) == (claim, "paper")
    assert found.verdict == case.verdict, found.reason
    assert case.why in found.reason.split("; ")[0] + "; " + found.reason
    assert "nan" not in found.reason


@pytest.mark.parametrize("claim", JUDGES)
def test_on_other_data_every_verdict_is_a_proxy_with_the_same_outcome(claim):
    for added, outcome in ((0.2, "held"), (0.0, "undecided")):
        case = Case("", "", "", values(added, wobble=-1), paper_data=False)
        found = JUDGES[claim](case)
        assert (found.verdict, found.outcome) == ("proxy", outcome)
        assert found.reason.startswith("computed on a cohort, not on the paper's data; here ")


@pytest.mark.parametrize("claim", JUDGES)
def test_what_is_shown_is_what_is_judged(claim):
    """The number in the row, its interval, the difference, and its corrected p."""
    case = Case("", "", "", values(0.2))
    found = JUDGES[claim](case)
    mean = case.model.mean()
    shown = f"{mean:.3f}" if claim in ("clustering", "coherent") else f"{mean:.1%}"
    assert shown in found.obtained and "[" in found.obtained
    assert "Holm p 0.00" in found.reason
    assert "12 patients" in found.n or "12 sections" in found.n


# The rules themselves


def evidence(**changes) -> Evidence:
    above = Difference("PCA", 0.2, 0.1, 0.3, 0.001, 0.0005, 12, value=0.4)
    facts = {"value": 0.6, "low": 0.5, "high": 0.7, "n": 12, "training": Training()}
    return Evidence(**{**facts, "differences": [above], **changes})


def test_nothing_to_compare_with_supports_nothing():
    assert judge(evidence(differences=[])) == (
        "inconclusive",
        "nothing to compare with was computed",
    )


def test_a_significant_p_without_its_interval_supports_nothing():
    """A sign-flip test may be significant where the interval includes 0, and the reverse."""
    one = evidence().differences[0]
    assert judge(evidence())[0] == "supported"
    for changes in ({"low": -0.01}, {"low": np.nan, "high": np.nan}, {"p": 0.05}, {"p": np.nan}):
        found = judge(evidence(differences=[replace(one, **changes)]))
        assert found[0] == "inconclusive"


def test_only_significance_with_an_interval_below_contradicts():
    below = Difference("MOFA", -0.2, -0.3, -0.1, 0.001, 0.0005, 12, named=True)
    assert judge(evidence(differences=[below]))[0] == "contradicted"
    for changes in ({"high": 0.01}, {"p": 0.051}, {"named": False}):
        assert judge(evidence(differences=[replace(below, **changes)]))[0] == "inconclusive"


@pytest.mark.parametrize(
    ("reported", "verdict"),
    [
        (Reported(0.81, 0.70, 0.6, 0.80, 8), "contradicted"),
        (Reported(0.81, 0.70, 0.6, 0.81, 8), "inconclusive"),
        (Reported(0.81, 0.70, 0.69, 0.71, 2), "inconclusive"),
        (Reported(0.81, 0.70, np.nan, np.nan, 1), "inconclusive"),
        (Reported(0.81, 0.806, 0.6, 0.9, 8), "supported"),  # 81% when rounded
        (Reported(0.81, 0.804, 0.6, 0.9, 8), "inconclusive"),
    ],
)
def test_a_number_of_the_papers(reported, verdict):
    assert judge(evidence(reported=reported))[0] == verdict


def test_slopes_may_exceed_one():
    high = Difference("random genes", 0.5, 0.4, 0.6, 0.001, 0.0005, 12, value=1.2)
    assert judge(evidence(value=1.7, differences=[high], is_share=False))[0] == "supported"
    assert judge(evidence(value=1.7, differences=[high]))[0] == "inconclusive"


@pytest.mark.parametrize(
    ("summary", "converged", "words"),
    [
        ({}, True, "released checkpoint"),
        ({"epochs": 40, "best_epoch": 30, "converged": True}, True, "stopped falling after 30"),
        ({"epochs": 5, "best_epoch": 5, "converged": False}, False, "still falling after 5 epochs"),
        ({"epochs": 1, "best_epoch": 1, "converged": False}, False, "still falling after 1 epoch"),
        ({"epochs": 9, "best_epoch": 7, "converged": False}, False, "ended after 9 epochs, before"),
    ],
)
def test_how_far_a_model_was_trained(summary, converged, words):
    training = Training.of(summary)
    assert training.converged == converged and words in training.words
