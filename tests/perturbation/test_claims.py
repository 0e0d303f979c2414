"""What perturbed pairs let the scoreboard say of claim 6."""

from functools import cache

import pytest

from sagefm.common.claim import claims_table
from sagefm.common.text import UNKNOWN_NUMBER
from sagefm.perturbation.claims import Findings, perturbation_claims
from sagefm.perturbation.summary import summarise_pairs
from support.perturbed import coexpression_like, exchanged, genes_like, pairs_like, responses_like


@cache
def findings(raised: float, back: float = 0.0, inputs: int = 12) -> Findings:
    pairs = pairs_like(inputs)
    both = responses_like(pairs, raised), responses_like(exchanged(pairs), back, seed=1)
    known = tuple(map(coexpression_like, both))
    tables = summarise_pairs(both, known, genes_like(pairs), seed=0)
    return Findings(tables["summary"], tables["discrimination"])


def claim(*found: Findings, paper_data: bool = True):
    named = dict(zip(("ligand_receptor", "hallmarks"), found, strict=False))
    (made,) = perturbation_claims("paper", "breast", "a breast cohort", named, paper_data)
    assert len(claims_table([made])) == 1
    return made


def without(found: Findings, control: str) -> Findings:
    """The same, had the pairs not exceeded one control."""
    row = (found.summary["direction"] == "forward") & (found.summary["control"] == control)
    return Findings(
        found.summary.assign(p_holm=found.summary["p_holm"].mask(row, 0.5)), found.discrimination
    )


def test_pairs_beyond_their_controls_and_the_reverse_support():
    made = claim(findings(0.1), findings(0.0))
    assert (made.id, made.verdict) == ("perturbation", "supported")
    assert "effects exceed the controls: yes" in made.reason
    assert "directional (forward exceeds reverse): yes" in made.reason
    assert "pairs of hallmarks: effects exceed the controls: no" in made.reason
    assert "36 pairs of 12 inputs, 900 spots, 9 samples, 2 of 8 patients seen" in made.n
    assert made.evidence == "perturbation/paper/breast/ligand_receptor/summary.tsv"


def test_an_effect_as_strong_in_reverse_is_not_directional():
    made = claim(findings(0.1, back=0.1))
    assert made.verdict == "inconclusive"
    assert "not the reverse experiment" in made.reason
    assert "directional (forward exceeds reverse): no" in made.reason


def test_no_effect_contradicts():
    assert claim(findings(0.0)).verdict == "contradicted"
    assert claim(findings(-0.1)).verdict == "contradicted"


def test_three_inputs_decide_nothing():
    made = claim(findings(0.1, inputs=3))
    assert made.verdict == "inconclusive"
    assert "no difference can be beyond doubt with 3 inputs" in made.reason


def test_what_one_input_leaves_unknown_is_said_in_words():
    made = claim(findings(0.1, inputs=1))
    text = " ".join((made.obtained, made.baseline, made.reason))
    assert UNKNOWN_NUMBER in text and "nan" not in text


def test_pairs_that_have_no_control_decide_nothing():
    found = findings(0.0)
    row = (found.summary["direction"] == "forward") & (found.summary["control"] == "unmatched")
    none = found.summary.assign(n_pairs=found.summary["n_pairs"].mask(row, 0))
    made = claim(Findings(none, found.discrimination))
    assert made.verdict == "inconclusive"
    assert made.reason.startswith("no pair could be held against the table's other outputs")


@pytest.mark.parametrize(
    ("control", "left"),
    [
        ("unmatched", "random genes of like expression alone"),
        ("expression_matched", "the table's other outputs alone"),
    ],
)
def test_both_controls_have_to_be_exceeded(control, left):
    made = claim(without(findings(0.1), control))
    assert made.verdict == "inconclusive" and f"pairs exceed {left}" in made.reason


def test_other_data_are_a_proxy_that_says_what_was_found():
    made = claim(findings(0.1), paper_data=False)
    assert made.verdict == "proxy"
    assert made.reason.startswith("computed on a breast cohort, not on the paper's samples")
    assert made.reason.split("; ")[4] == "says more than neighbour co-expression: yes"


@pytest.mark.parametrize(
    ("score", "column", "value", "answer"),
    [
        ("slope_remainder", "auroc_low", 0.49, "no"),
        ("coexpression_pooled", "slope_advantage", -0.01, "something beside it"),
    ],
)
def test_what_coexpression_says_as_well_is_no_merit(score, column, value, answer):
    found = findings(0.1)
    row = (found.discrimination["direction"] == "forward") & (
        found.discrimination["score"] == score
    )
    changed = found.discrimination[column].mask(row, value)
    made = claim(Findings(found.summary, found.discrimination.assign(**{column: changed})))
    assert f"says more than neighbour co-expression: {answer}" in made.reason
