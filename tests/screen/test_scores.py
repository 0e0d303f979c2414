"""Scores of a screen: areas equal scikit-learn's, a flat null where expected, and the figure."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from sklearn.metrics import average_precision_score, roc_auc_score

from sagefm.common.errors import InputError
from sagefm.plotting.colours import MODEL_COLOURS
from sagefm.screen.figures import draw_screen_scores
from sagefm.screen.scores import (
    Truth,
    permuted_outputs,
    read_truth,
    scores_of,
    screen_scores,
    sign_agreement,
)
from sagefm.screen.tables import screen_table
from sagefm.screen.titles import SCORES
from sagefm.stats.resampling import BOOTSTRAPS, resampling
from support.drawn import assert_readable

GENES = [f"G{i}" for i in range(60)]
INPUTS, OUTPUTS = pd.Index(GENES[:30]), pd.Index(GENES[20:])


def pairs_like(number=80, seed=0) -> pd.DataFrame:
    """Pairs: some with a gene that the screen lacks, some twice, some of a gene with itself."""
    rng = np.random.default_rng(seed)
    pairs = pd.DataFrame(
        {"input": rng.choice(GENES[:32], number), "output": rng.choice(GENES[18:], number)}
    )
    pairs.loc[:1] = [["G25", "G25"], ["G3", "G40"]]
    return pd.concat([pairs, pairs.tail(3)]).assign(
        sign=np.where(rng.random(number + 3) < 0.7, 1, -1)
    )


@pytest.fixture(scope="module")
def truth() -> Truth:
    return read_truth(pairs_like(), INPUTS, OUTPUTS, "made")


def label_of(truth: Truth) -> np.ndarray:
    label = np.zeros(truth.field.shape, dtype=bool)
    label[tuple(truth.listed.T)] = True
    return label[truth.field]


def test_the_field_is_what_table_and_screen_share(truth):
    pairs = pairs_like()
    pairs = pairs[pairs["input"].isin(INPUTS) & pairs["output"].isin(OUTPUTS)]
    pairs = pairs[pairs["input"] != pairs["output"]].drop_duplicates(["input", "output"])
    assert set(truth.inputs) == set(pairs["input"])
    assert set(truth.outputs) == set(pairs["output"])
    named = [(truth.inputs[i], truth.outputs[o]) for i, o in truth.listed]
    assert named == list(zip(pairs["input"], pairs["output"], strict=True))
    np.testing.assert_array_equal(truth.sign, pairs["sign"])
    same = [(i, o) for i in truth.inputs for o in truth.outputs if i == o]
    assert (~truth.field).sum() == len(same) > 0
    assert truth.prevalence == len(pairs) / (len(truth.inputs) * len(truth.outputs) - len(same))


@pytest.mark.parametrize(
    "pairs",
    [
        pd.DataFrame({"input": ["X"], "output": ["G30"], "sign": [1]}),
        pd.DataFrame({"input": ["G1"], "output": ["G30"], "sign": [1]}),
    ],
)
def test_a_field_without_both_sorts_is_an_error(pairs):
    with pytest.raises(InputError, match=r"pair table made: \d of \d pairs of its genes"):
        read_truth(pairs, INPUTS, OUTPUTS, "made")


def test_areas_are_those_of_scikit_learn(truth):
    """With ties, and with a row that is not known, which ranks below all."""
    rng = np.random.default_rng(3)
    score = np.round(rng.normal(size=truth.field.shape), 1).astype(np.float32)
    score[tuple(truth.listed.T)] += 0.4
    score[5] = np.nan
    mean = rng.random(len(truth.outputs))
    row = screen_scores(truth, {("all", "response"): score}, mean, 50, seed=1).iloc[0]
    known = np.nan_to_num(score, nan=-99)[truth.field]
    assert row["auroc"] == pytest.approx(roc_auc_score(label_of(truth), known), abs=1e-12)
    precision = average_precision_score(label_of(truth), known)
    assert row["auprc"] == pytest.approx(precision, abs=1e-12)
    assert row["lift"] == pytest.approx(precision / label_of(truth).mean())
    assert row["n_pairs"] == label_of(truth).sum()


def test_intervals_are_those_of_whole_inputs_drawn_again(truth):
    """A draw's table has an input as often as it was drawn, with all of its outputs."""
    rng = np.random.default_rng(3)
    shape = truth.field.shape
    response, coexpression = rng.normal(size=shape), np.round(rng.normal(size=shape), 1)
    response[tuple(truth.listed.T)] += 0.4
    scores = {("all", "response"): response, ("no model", "coexpression"): coexpression}
    mean = rng.random(len(truth.outputs))
    table = screen_scores(truth, scores, mean, 5, seed=1).set_index("score")
    label = np.zeros(shape, dtype=bool)
    label[tuple(truth.listed.T)] = True
    drawn = []
    for counts in resampling(len(truth.inputs), BOOTSTRAPS, seed=1).astype(int):
        rows = np.repeat(np.arange(len(counts)), counts)
        field = truth.field[rows]
        areas = [roc_auc_score(label[rows][field], own[rows][field]) for own in scores.values()]
        drawn.append([areas[0], areas[0] - areas[1]])
    ends = np.percentile(drawn, [2.5, 97.5], axis=0)
    own = table.loc["response"]
    for name, (low, high) in zip(("auroc", "advantage"), ends.T, strict=True):
        assert own[f"{name}_low"] == pytest.approx(low, abs=1e-6)
        assert own[f"{name}_high"] == pytest.approx(high, abs=1e-6)
        assert own[f"{name}_low"] < own[name] < own[f"{name}_high"]
    gain = own["auroc"] - table.loc["coexpression", "auroc"]
    assert own["advantage"] == pytest.approx(gain, abs=1e-9)
    assert (table.loc["coexpression", ["advantage", "advantage_low", "advantage_high"]] == 0).all()


def test_the_null_is_the_table_with_its_outputs_permuted(truth):
    rng = np.random.default_rng(4)
    score, mean = rng.normal(size=truth.field.shape), rng.random(len(truth.outputs))
    row = screen_scores(truth, {("all", "response"): score}, mean, 30, seed=7).iloc[0]
    null = []
    for moved in permuted_outputs(mean, 30, seed=7):
        label = np.zeros(truth.field.shape, dtype=bool)
        label[truth.listed[:, 0], moved[truth.listed[:, 1]]] = True
        null.append(roc_auc_score(label[truth.field], score[truth.field]))
    assert row["null_auroc_mean"] == pytest.approx(np.mean(null))
    assert [row["null_low"], row["null_high"]] == pytest.approx(
        np.quantile(null, [0.025, 0.975]).tolist()
    )
    assert row["p"] == pytest.approx((1 + np.sum(np.array(null) >= row["auroc"])) / 31)


def test_outputs_move_among_their_like():
    mean = np.random.default_rng(0).permutation(95).astype(float)
    moved = permuted_outputs(mean, 40, seed=2)
    assert (np.sort(moved, axis=1) == np.arange(95)).all()
    tenth = np.empty(95)
    for number, stratum in enumerate(np.array_split(np.argsort(mean), 10)):
        tenth[stratum] = number
    assert (tenth[moved] == tenth).all()
    assert len({tuple(row) for row in moved}) == 40
    np.testing.assert_array_equal(moved, permuted_outputs(mean, 40, seed=2))


def test_what_knows_the_pairs_passes_the_null_and_popularity_does_not():
    """An output's partners are drawn by its tenth alone: nothing but popularity to be found."""
    rng = np.random.default_rng(5)
    mean = np.arange(100.0)
    listed = np.argwhere(rng.random((30, 100)) < 0.05 * (mean // 10))
    names = [f"I{i}" for i in range(30)], [f"O{i}" for i in range(100)]
    truth = Truth(*names, listed, np.ones(len(listed)), np.ones((30, 100), dtype=bool))
    popular = mean // 10 + 0.01 * rng.normal(size=(30, 100))
    knows = rng.normal(size=(30, 100))
    knows[tuple(listed.T)] += 0.5
    scores = {("all", "popular"): popular, ("all", "knows"): knows}
    table = screen_scores(truth, scores, mean, 200, seed=1).set_index("score")
    assert table.loc["popular", "auroc"] > 0.7
    assert table.loc["popular", "p"] > 0.05
    assert table.loc["knows", "p"] == pytest.approx(1 / 201)
    assert table["sign_agreement"].isna().all()


def test_agreement_of_signs_is_balanced():
    score, sign = np.array([1.0, 2, 3, -1, 5, 0]), np.array([1, 1, 1, 1, -1, -1])
    assert sign_agreement(score, sign) == pytest.approx((3 / 4 + 0 / 2) / 2)
    assert np.isnan(sign_agreement(np.abs(score), sign))
    assert np.isnan(sign_agreement(score, np.abs(sign)))


class JacobianLike:
    """Two contexts; the derivative of o by i is 10 o + i, its sign that of the context."""

    contexts = ("one", "two")

    def block(self, outputs, inputs, context):
        o, i = ([GENES.index(gene) for gene in side] for side in (outputs, inputs))
        value = 10.0 * np.array(o)[:, None] + np.array(i)
        return -3 * value if context == "one" else value


def screen_like(contexts) -> AnnData:
    rng = np.random.default_rng(1)
    responses = rng.normal(size=(len(contexts), len(INPUTS), len(OUTPUTS))).astype(np.float32)
    genes = pd.DataFrame({"mean": np.arange(60.0)}, index=GENES)
    return screen_table(responses, contexts, genes.loc[INPUTS], genes.loc[OUTPUTS])


def test_scores_are_of_the_fields_genes(truth):
    screen = screen_like({"one": 5, "two": 6})
    correlation = np.ones(truth.field.shape)
    found = scores_of(truth, screen, JacobianLike(), {"coexpression": correlation})
    contexts = ("mean of contexts", "one", "two")
    names = [name for kind in ("response", "jacobian") for name in (kind, f"abs_{kind}")]
    baselines = ["coexpression", "output_mean", "input_mean_x_output_mean"]
    expected = {(context, name) for context in contexts for name in names}
    assert set(found) == expected | {("no model", name) for name in baselines}
    gene, other = truth.inputs[3], truth.outputs[5]
    layer = screen.layers["two"]
    response = layer[INPUTS.get_loc(gene), OUTPUTS.get_loc(other)]
    assert found["two", "response"][3, 5] == response
    assert found["two", "abs_response"][3, 5] == abs(response)
    value = 10 * GENES.index(other) + GENES.index(gene)
    assert found["one", "jacobian"][3, 5] == -3 * value
    assert found["mean of contexts", "jacobian"][3, 5] == -value
    assert found["mean of contexts", "abs_jacobian"][3, 5] == value
    assert found["no model", "output_mean"][3, 5] == GENES.index(other)
    product = GENES.index(gene) * GENES.index(other)
    assert found["no model", "input_mean_x_output_mean"][3, 5] == product
    alone = scores_of(truth, screen_like({"all": 5}), None, {})
    assert {context for context, _ in alone} == {"all", "no model"}


@pytest.mark.parametrize("contexts", [{"all": 5}, {"one": 5, "two": 6}])
def test_the_figure_has_a_panel_a_table_and_a_dot_a_score(truth, contexts):
    jacobian = JacobianLike() if len(contexts) > 1 else None
    correlations = dict.fromkeys(("coexpression", "coexpression_within"), truth.field * 0.5)
    scores = scores_of(truth, screen_like(contexts), jacobian, correlations)
    table = screen_scores(truth, scores, np.arange(len(truth.outputs)), 20, seed=1)
    both = [table.assign(truth=name) for name in ("ligand_receptor", "tf_targets")]
    figure = draw_screen_scores(pd.concat(both).assign(model="paper", cohort="breast"), "#08306B")
    assert_readable(figure)
    assert len(figure.axes) == 4
    curve = figure.axes[0]
    drawn = {line.get_color() for line in curve.lines}
    assert "#08306B" in drawn and MODEL_COLOURS[0] not in drawn  # the model's own
    assert "ligand receptor" in curve.get_title(loc="left")
    names = [label.get_text() for label in curve.get_yticklabels()]
    assert names == [SCORES[name] for name in SCORES if name in set(table["score"])]
    assert len(curve.patches) == len(names)
    shown = {round(float(x), 6) for line in curve.lines for x in np.atleast_1d(line.get_xdata())}
    assert set(table["auroc"].round(6)) <= shown
