"""The title of a screen's figure: what the table holds, whatever it is."""

import numpy as np
import pandas as pd
import pytest

from sagefm.screen.titles import pairs_ranked


def scores(low: float, high: float, n_inputs: int = 9, truth: str = "hallmark", **other: str):
    own = {"score": "jacobian", "context": "all", "auroc": 0.6} | other
    none = {"score": "coexpression", "context": "no model", "auroc": 0.7}
    table = pd.DataFrame([own, none])
    return table.assign(truth=truth, n_inputs=n_inputs, advantage_low=low, advantage_high=high)


ABOVE = "significantly above co-expression (0.70)"
BELOW = "significantly below co-expression (0.70)"
SAME = "not significantly different from co-expression (0.70)"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (scores(0.01, 0.2), ABOVE),
        (scores(-0.2, -0.01), BELOW),
        (scores(-0.2, 0.1), SAME),
        (scores(0.01, 0.2, n_inputs=2), SAME),  # two inputs give no usable interval
        (scores(-0.2, -0.01, n_inputs=2), SAME),
        (scores(np.nan, np.nan).head(1), "not compared"),
    ],
)
def test_the_models_score_is_compared_with_co_expression(table, words):
    expected = f"AUROC of known pairs by signed derivative: hallmark 0.60, {words}"
    assert pairs_ranked(table) == expected


def test_each_pair_table_has_its_numbers_and_contexts_their_mean():
    contexts = scores(-1, 1, context="one").head(1).assign(auroc=0.2)
    mean = scores(-1, 1, context="mean of contexts")
    tables = [contexts, mean, scores(-0.2, -0.01, truth="ligand_receptor")]
    assert pairs_ranked(pd.concat(tables)) == (
        f"AUROC of known pairs by signed derivative: hallmark 0.60, {SAME}; "
        f"ligand receptor 0.60, {BELOW}"
    )


def test_without_derivatives_the_response_is_judged():
    title = pairs_ranked(scores(0.01, 0.2, score="response"))
    assert title.startswith("AUROC of known pairs by signed response: hallmark 0.60")
