"""`interpretable`: the verdict a reviewer would give on a screen's scores."""

import pandas as pd
import pytest

from sagefm.common.claim import Subject
from sagefm.common.verdict import Training
from sagefm.screen.claims import interpretable_claim
from sagefm.screen.tables import MEAN, NO_MODEL
from support.evidence import CONVERGED, STILL_FALLING

OTHERS = {"response": 0.9, "abs_jacobian": 0.9, "coexpression_within": 0.9}


def scores(own: dict, name: str = "jacobian", context: str = "all") -> pd.DataFrame:
    """Scores of each truth: chance is 0.51 [0.49, 0.53], co-expression 0.6."""
    rows = []
    for truth, auroc in own.items():
        values = {**OTHERS, name: auroc, "coexpression": 0.6}
        if name == "response":
            values.pop("abs_jacobian")
        rows += [
            {
                "truth": truth,
                "context": NO_MODEL if score.startswith("coexpression") else context,
                "score": score,
                "n_inputs": 12,
                "n_pairs": 1300,
                "auroc": value,
                "advantage": value - 0.6,
                "advantage_low": value - 0.62,
                "advantage_high": value - 0.58,
                "null_auroc_mean": 0.51,
                "null_low": 0.49,
                "null_high": 0.53,
                "p": 0.01,
            }
            for score, value in values.items()
        ]
    return pd.DataFrame(rows)


def claim(table: pd.DataFrame, training: Training = CONVERGED, paper_data: bool = False):
    return interpretable_claim(Subject("paper", training, "breast", "a cohort", paper_data), table)


@pytest.mark.parametrize(
    ("own", "outcome", "words"),
    [
        ((0.7, 0.8), "held", "significantly above permuted outputs (ligand receptor)"),
        ((0.7, 0.515), "undecided", "no significant difference from permuted outputs (hallmark)"),
        ((0.58, 0.8), "undecided", "from co-expression without a model (ligand receptor)"),
        ((0.61, 0.8), "undecided", "from co-expression without a model (ligand receptor)"),
        ((0.55, 0.55), "undecided", "significantly below co-expression without a model (ligand"),
        ((0.45, 0.8), "did not hold", "significantly below permuted outputs (ligand receptor)"),
        ((float("nan"), 0.8), "undecided", ""),
    ],
)
def test_a_claim_gets_the_verdict_a_reviewer_would_give(own, outcome, words):
    names = ("ligand_receptor", "hallmark")
    table = scores(dict(zip(names, own, strict=True)))
    found = claim(table)
    assert (found.id, found.verdict, found.outcome) == ("interpretable", "proxy", outcome)
    assert words in found.reason and "the paper gives no reference value" in found.reason
    assert "ligand receptor 0.600" in found.baseline
    assert "reach 0.510 [0.490, 0.530], p 0.01" in found.reason
    assert found.evidence == "screen/paper/breast/scores.tsv"
    # There is no number of the paper's to reach or to miss.
    paper = claim(table, paper_data=True)
    assert (paper.verdict, paper.outcome) == ("inconclusive", "undecided")
    early = claim(table, training=STILL_FALLING)
    assert early.outcome == "undecided"
    assert (early.reason != found.reason) == (own[0] == own[0])


def test_the_row_shows_what_is_judged():
    found = claim(scores({"ligand_receptor": 0.7, "hallmark": 0.8}))
    assert found.obtained == (
        "AUROC of known pairs by derivative: ligand receptor 0.700, hallmark 0.800"
    )
    differences = (
        "+0.100 [0.080, 0.120] against co-expression without a model (ligand receptor)",
        "+0.200 [0.180, 0.220] against co-expression without a model (hallmark)",
    )
    assert "; ".join(differences) in found.reason
    assert "intervals against co-expression by bootstrap over inputs" in found.reason


def test_the_interval_over_inputs_decides_against_coexpression():
    """As far above, but with an interval over inputs that includes 0."""
    wide = scores({"pairs": 0.7}).assign(advantage_low=-0.01, advantage_high=0.21)
    assert "no significant difference from co-expression" in claim(wide).reason
    assert "significantly above" in claim(wide.assign(advantage_low=0.01)).reason


def test_without_a_jacobian_the_response_is_judged_and_contexts_by_their_mean():
    one = scores({"pairs": 0.9}, "response", context="tumour")
    mean = scores({"pairs": 0.7}, "response", context=MEAN)
    found = claim(pd.concat([mean, one[one["context"] == "tumour"]]))
    assert found.obtained == "AUROC of known pairs by response: pairs 0.700"
    assert found.n == "1,300 pairs pairs of 12 inputs"
