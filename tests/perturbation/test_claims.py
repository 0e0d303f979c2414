"""Claim 6: the verdicts a reviewer would give on handmade responses, and the facts beside them."""

from functools import cache

import numpy as np
import pytest

from sagefm.common.claim import Claim, Subject, claims_table
from sagefm.common.text import MINUS, UNKNOWN_NUMBER
from sagefm.common.verdict import Training
from sagefm.perturbation.claims import Findings, perturbation_claim
from sagefm.perturbation.summary import summarise_pairs
from sagefm.perturbation.terms import BETWEEN, FORWARD
from support.evidence import CONVERGED, STILL_FALLING
from support.perturbed import coexpression_like, exchanged, genes_like, pairs_like, responses_like


@cache
def findings(raised: float, back: float = 0.0, inputs: int = 12) -> Findings:
    pairs = pairs_like(inputs)
    both = responses_like(pairs, raised), responses_like(exchanged(pairs), back, seed=1)
    known = tuple(map(coexpression_like, both))
    tables = summarise_pairs(both, known, genes_like(pairs), seed=0)
    return Findings(tables["summary"], tables["discrimination"])


def claim(
    *found: Findings,
    training: Training = CONVERGED,
    paper_data: bool = True,
    maybe_trained_on: bool = False,
) -> Claim:
    named = dict(zip(("ligand_receptor", "hallmarks"), found, strict=False))
    subject = Subject(
        "paper", training, "breast", "a breast cohort", paper_data, "", maybe_trained_on
    )
    made = perturbation_claim(subject, named)
    assert len(claims_table([made])) == 1
    return made


def changed(found: Findings, direction: str, control: str, **columns: float) -> Findings:
    """The same with other numbers in one comparison."""
    table = found.summary.copy()
    row = (table["direction"] == direction) & (table["control"] == control)
    table.loc[row, list(columns)] = list(columns.values())
    return Findings(table, found.discrimination)


def rescored(found: Findings, score: str, **columns: float) -> Findings:
    """The same with other numbers of one score."""
    table = found.discrimination.copy()
    row = (table["direction"] == FORWARD) & (table["score"] == score)
    table.loc[row, list(columns)] = list(columns.values())
    return Findings(found.summary, table)


FAIR = (FORWARD, "expression_matched")

CASES = {
    "pairs beyond their controls, the reverse and co-expression": (
        lambda: claim(findings(0.1)), "supported", "significantly above the table's other outputs"
    ),
    "the same of a model that has not converged": (
        lambda: claim(findings(0.1), training=STILL_FALLING),
        "inconclusive",
        "validation loss was still falling after 5 epochs; so far significantly above",
    ),
    "the same of a checkpoint that may have been trained on the data": (
        lambda: claim(findings(0.1), training=Training(), maybe_trained_on=True),
        "inconclusive",
        "the checkpoint may have been trained on these sections",
    ),
    "no effect: not significant, which contradicts nothing": (
        lambda: claim(findings(0.0)), "inconclusive", "no significant difference from"
    ),
    "an effect of the opposite sign": (
        lambda: claim(findings(-0.1)), "contradicted", "significantly below"
    ),
    "an effect as strong in reverse": (
        lambda: claim(findings(0.1, back=0.1)),
        "inconclusive",
        "no significant difference from the reverse experiment",
    ),
    "an effect that is stronger in reverse": (
        lambda: claim(findings(0.05, back=0.3)),
        "contradicted",
        "significantly below the reverse experiment",
    ),
    "p just above 0.05 with a large effect": (
        lambda: claim(changed(findings(0.1), *FAIR, p_holm=0.051)),
        "inconclusive",
        "no significant difference from random genes of similar expression",
    ),
    "a significant p whose interval includes 0": (
        lambda: claim(changed(findings(0.1), *FAIR, low=-0.01)),
        "inconclusive",
        "no significant difference from random genes of similar expression",
    ),
    "one control is not exceeded": (
        lambda: claim(changed(findings(0.1), FORWARD, "unmatched", p_holm=0.5)),
        "inconclusive",
        "no significant difference from the table's other outputs",
    ),
    "co-expression without a model does as well": (
        lambda: claim(rescored(findings(0.1), "coexpression_pooled", slope_advantage_low=-0.01)),
        "inconclusive",
        "no significant difference from co-expression",
    ),
    "co-expression without a model does better": (
        lambda: claim(
            rescored(
                findings(0.1),
                "coexpression_pooled",
                slope_advantage=-0.2,
                slope_advantage_low=-0.3,
                slope_advantage_high=-0.1,
            )
        ),
        "inconclusive",
        "significantly below co-expression in AUROC",
    ),
    "three inputs": (
        lambda: claim(findings(0.1, inputs=3)),
        "inconclusive",
        "no difference can be significant with 3 inputs and 4 comparisons",
    ),
    "three inputs of the opposite sign": (
        lambda: claim(findings(-0.3, inputs=3)),
        "inconclusive",
        "no difference can be significant with 3 inputs",
    ),
    "one input": (lambda: claim(findings(0.1, inputs=1)), "inconclusive", "no pair could be"),
    "no pair has a control": (
        lambda: claim(changed(findings(0.1), FORWARD, "unmatched", n_pairs=0)),
        "inconclusive",
        "no pair could be compared with the table's other outputs",
    ),
    "no output responds": (
        lambda: claim(changed(findings(0.1), *FAIR, share_unmoved=1.0)),
        "inconclusive",
        "no output responds to its input",
    ),
    "not a number": (
        lambda: claim(changed(findings(0.1), *FAIR, difference=np.nan, low=np.nan, high=np.nan)),
        "inconclusive",
        "the value is not a number",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_claim_gets_the_verdict_a_reviewer_would_give(name):
    make, verdict, why = CASES[name]
    made = make()
    assert (made.id, made.model, made.verdict) == ("perturbation", "paper", verdict), made.reason
    assert why in made.reason
    text = " ".join((made.obtained, made.baseline, made.reason))
    assert "nan" not in text
    assert (UNKNOWN_NUMBER in text) == (name in ("one input", "not a number"))


def test_a_claim_says_what_it_rests_on():
    made = claim(findings(0.1), findings(0.0))
    own = findings(0.1).row(*FAIR)
    numbers = f"{own['difference']:+.2g} [{own['low']:.2g}, {own['high']:.2g}] against"
    assert numbers.replace("-", MINUS) in made.obtained
    assert made.reason.count("Holm p") == 4
    assert "against the reverse experiment (Holm p" in made.reason
    assert "paired sign-flip tests over inputs" in made.reason
    assert "pairs of hallmarks: slope" in made.reason
    assert "36 pairs of 12 inputs, 900 spots, 9 sections, 2 of 8 patients seen" in made.n
    assert made.evidence == "perturbation/paper/breast/ligand_receptor/summary.tsv"


def test_the_directions_are_compared_in_standard_deviations():
    found = findings(0.1)
    standard = found.row(BETWEEN, "expression_matched")["matched"]
    assert f"mean {standard:+.2f} of their standard deviations" in claim(found).obtained


def test_other_data_are_a_proxy_that_says_what_was_found():
    made = claim(findings(0.1), paper_data=False)
    assert (made.verdict, made.outcome) == ("proxy", "held")
    assert made.reason.startswith("computed on a breast cohort, not on the paper's data; here")
