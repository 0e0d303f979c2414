"""`interpretable`: what a screen's scores have to say of it, in every branch."""

import pandas as pd
import pytest

from sagefm.screen.claims import interpretable_claims
from sagefm.screen.tables import MEAN, NO_MODEL

OTHERS = {"response": 0.9, "abs_jacobian": 0.9, "coexpression_within": 0.9}


def scores(own: dict, p: dict, name: str = "jacobian", context: str = "all") -> pd.DataFrame:
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
                "null_auroc_mean": 0.51,
                "p": p[truth] if score == name else 0.5,
            }
            for score, value in values.items()
        ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("own", "p", "outcome", "words"),
    [
        ((0.7, 0.8), (0.01, 0.01), "held", "known pairs stand out"),
        ((0.5, 0.55), (0.2, 0.3), "did not hold", "do not stand out"),
        ((0.7, 0.5), (0.01, 0.3), "undecided", "depends on the table"),
        ((0.58, 0.59), (0.01, 0.01), "undecided", "held against"),  # above chance alone
    ],
)
def test_every_branch(own, p, outcome, words):
    names = ("ligand_receptor", "hallmark")
    table = scores(dict(zip(names, own, strict=True)), dict(zip(names, p, strict=True)))
    (found,) = interpretable_claims("paper", "breast", "a cohort", table, False)
    assert (found.id, found.verdict, found.outcome) == ("interpretable", "proxy", outcome)
    assert words in found.reason and "the paper names no yardstick" in found.reason
    assert found.obtained == (
        f"AUROC of known pairs by derivative: ligand receptor {own[0]:.3f}, hallmark {own[1]:.3f}"
    )
    assert "ligand receptor 0.600" in found.baseline
    assert found.evidence == "screen/paper/breast/scores.tsv"
    (paper,) = interpretable_claims("paper", "breast", "a cohort", table, True)
    assert (paper.verdict, paper.outcome) == ("inconclusive", "undecided")


def test_without_a_jacobian_the_response_is_judged_and_contexts_by_their_mean():
    one = scores({"pairs": 0.9}, {"pairs": 0.01}, "response", context="tumour")
    mean = scores({"pairs": 0.7}, {"pairs": 0.01}, "response", context=MEAN)
    several = pd.concat([mean, one[one["context"] == "tumour"]])
    (found,) = interpretable_claims("rings", "breast", "a cohort", several, False)
    assert found.obtained == "AUROC of known pairs by response: pairs 0.700"
    assert found.n == "1,300 pairs pairs of 12 inputs"
