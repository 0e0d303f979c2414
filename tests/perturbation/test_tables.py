"""Statistics of perturbed pairs against a known truth, scipy and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sagefm.perturbation.coexpression import Coexpression
from sagefm.perturbation.discrimination import SCORES, discrimination_table
from sagefm.perturbation.summary import response_summary, summarise_pairs
from sagefm.perturbation.tables import CONTROLS, level_table, pair_slopes, pair_table
from sagefm.stats.paired import holm, sign_flip, sign_flips
from sagefm.stats.resampling import BOOTSTRAPS, Patients, level_spearman, resampling
from support.perturbed import (
    PATIENTS,
    coexpression_like,
    exchanged,
    genes_like,
    pairs_like,
    responses_like,
)

PAIRS = pairs_like()
RAISED = 0.1


def tables_of(raised=RAISED, back=0.0, pairs=PAIRS, **more):
    both = responses_like(pairs, raised, **more), responses_like(exchanged(pairs), back, seed=1)
    slopes = tuple(map(pair_slopes, both))
    made = zip(both, slopes, map(coexpression_like, both), strict=True)
    return both, slopes, tuple(pair_table(*own, seed=0) for own in made)


def test_the_interval_is_that_of_resampled_patients():
    samples = pd.DataFrame({"sample": list("abcde"), "patient": ["P", "P", "Q", "", None]})
    patients = Patients.of(samples)
    assert len(patients) == 4  # samples of unnamed patients are their own
    values = np.random.default_rng(0).normal(size=(3, 2, 5))
    groups = [np.flatnonzero(own) for own in patients.members]
    means = []
    for counts in resampling(4, BOOTSTRAPS, seed=7).astype(int):
        drawn = np.concatenate([np.tile(group, n) for group, n in zip(groups, counts, strict=True)])
        means.append(values[..., drawn].mean(axis=-1))
    for end, percent in zip(patients.interval(values, seed=7), (2.5, 97.5), strict=True):
        np.testing.assert_allclose(end, np.percentile(means, percent, axis=0), rtol=1e-9)
    one = Patients.of(samples.assign(patient="P"))
    assert np.isnan(one.interval(values, seed=7)).all()
    np.testing.assert_allclose(one.means(values)[..., 0], values.mean(axis=-1))


@pytest.mark.parametrize("patients", [1, 3, 8])
def test_sign_flips_are_exact_for_few_patients(patients):
    differences = np.random.default_rng(patients).normal(0.3, 1, (20, patients))
    differences[3] = 0  # all patterns are as extreme
    expected = [sign_flip(row) for row in differences]
    np.testing.assert_allclose(sign_flips(differences, seed=0), expected)


def test_sign_flips_are_drawn_for_many_patients():
    differences = np.random.default_rng(0).normal(0.3, 1, (6, 25))
    differences[5, 0] = np.nan
    found = sign_flips(differences, seed=0)
    expected = [sign_flip(row) for row in differences[:5]]
    np.testing.assert_allclose(found[:5], expected, atol=0.012)
    assert np.isnan(found[5])


def test_spearman_over_levels_is_scipys():
    rng = np.random.default_rng(0)
    levels = np.tile(np.arange(5.0), (6, 1))
    responses = rng.integers(0, 4, (6, 5)).astype(float)  # with ties
    responses[4], responses[5, 2] = 1.5, np.nan
    found = level_spearman(levels, responses)
    expected = [stats.spearmanr(*both)[0] for both in zip(levels[:4], responses[:4], strict=True)]
    np.testing.assert_allclose(found[:4], expected)
    assert np.isnan(found[4:]).all()


def test_a_pairs_row_is_what_a_reader_would_compute():
    (forward, _), _, (table, _) = tables_of()
    for number in (0, 7):
        row, pair = table.iloc[number], PAIRS.iloc[number]
        i, o = forward.inputs.index(pair["input"]), forward.outputs.index(pair["output"])
        slopes = [np.polyfit(forward.levels[i], c, 1)[0] for c in forward.curves[number, 0]]
        assert row["slope"] == pytest.approx(np.mean(slopes), abs=1e-6)
        assert row["slope"] == pytest.approx(forward.slopes[i, o], abs=1e-6)
        assert row["low"] < row["slope"] < row["high"]
        partners = PAIRS.loc[PAIRS["input"] == pair["input"], "output"]
        others = forward.slopes[i, ~np.isin(forward.outputs, partners)]
        for control, singles in zip(
            CONTROLS, (others, *forward.control_slopes[number]), strict=True
        ):
            effect = pair["sign"] * (row["slope"] - singles.mean()) / singles.std(ddof=1)
            assert row[f"effect_{control}"] == pytest.approx(effect, rel=1e-4)
            assert row[f"slope_{control}"] == pytest.approx(singles.mean(), abs=1e-6)
            share = (singles * pair["sign"] > 0).mean()
            assert row[f"as_expected_{control}"] == pytest.approx(share)
        assert row["as_expected"] == (pair["sign"] * row["slope"] > 0)
        assert abs(row["spearman"]) == pytest.approx(1)
        known = coexpression_like(forward)
        at = known.inputs.index(pair["input"]), known.outputs.index(pair["output"])
        assert row["coexpression_within"] == known.within[at]
    for control in CONTROLS:
        corrected = stats.false_discovery_control(table[f"p_{control}"])
        np.testing.assert_allclose(table[f"q_{control}"], corrected)


def test_the_test_of_a_pair_is_over_patients():
    _, slopes, (table, _) = tables_of()
    difference = slopes[0].by_sample[4, 0] - slopes[0].by_sample[4, 2]
    by_patient = pd.Series(difference).groupby(list(PATIENTS)).mean()
    assert table["p_random"].iloc[4] == pytest.approx(sign_flip(by_patient.to_numpy()))
    assert table["p_random"].min() == pytest.approx(2**-7)  # eight patients, not nine samples


def test_an_input_without_other_outputs_has_no_unmatched_control():
    pairs = PAIRS[PAIRS["input"] == "L00"].reset_index(drop=True)
    forward = responses_like(pairs, RAISED)
    with np.errstate(all="ignore"):
        table = pair_table(forward, pair_slopes(forward), coexpression_like(forward), seed=0)
    assert table[["slope_unmatched", "effect_unmatched", "p_unmatched"]].isna().all(axis=None)
    assert table["effect_random"].notna().all()


def test_outputs_that_the_model_holds_at_zero_are_counted():
    forward = responses_like(PAIRS, RAISED)
    forward.curves[3, 0], forward.control_slopes[3, 1, :6] = 0, 0
    table = pair_table(forward, pair_slopes(forward), coexpression_like(forward), seed=0)
    assert np.flatnonzero(table["unmoved"]).tolist() == [3]
    assert not table["as_expected"].iloc[3] and np.isnan(table["spearman"].iloc[3])
    assert table["unmoved_expression_matched"].iloc[3] == pytest.approx(0.2)
    forward.control_slopes[:, 0] = 0.01
    forward.slopes[:, 9:] = np.nan  # of twelve outputs or so, few others are left
    effects = pair_table(forward, pair_slopes(forward), coexpression_like(forward), seed=0)
    effects = effects[["effect_random", "effect_unmatched", "effect_expression_matched"]]
    assert effects.isna().all().tolist() == [True, True, False]


def test_levels_keep_every_mean():
    forward = responses_like(PAIRS, RAISED)
    table = level_table(forward, seed=0)
    assert len(table) == len(PAIRS) * 4 * 5
    row = table.iloc[(7 * 4 + 2) * 5 + 3]
    pair = PAIRS.iloc[7]
    assert row[["input", "output"]].tolist() == pair[["input", "output"]].tolist()
    assert (row["kind"], row["step"]) == ("random", 4)
    curves = forward.curves[7, 2].astype(float)
    assert row["response"] == pytest.approx(curves[:, 3].mean())
    assert row["change"] == pytest.approx((curves[:, 3] - curves[:, 0]).mean(), rel=1e-5)
    assert row["level"] == forward.levels[forward.inputs.index(pair["input"]), 3]
    expected = Patients.of(forward.samples).interval(curves[:, 3] - curves[:, 0], seed=0)
    np.testing.assert_allclose(row[["low", "high"]].astype(float), expected, rtol=1e-4)
    assert (table.loc[table["step"] == 1, ["change", "low", "high"]] == 0).all(axis=None)


def by_comparison(summary: pd.DataFrame, unit: str = "inputs") -> pd.DataFrame:
    return summary[summary["unit"] == unit].set_index(["direction", "control"])


def test_the_summary_finds_what_was_put_in():
    both, slopes, tables = tables_of(raised=RAISED, back=0.04)
    table = response_summary(both[0], slopes, tables)
    summary = by_comparison(table)
    assert (summary["n_patients"] == 8).all() and (summary["n_patients_seen"] == 2).all()
    assert (summary["n_samples"] == 9).all() and (summary["n_spots"] == 900).all()
    fair = summary.loc["forward", "expression_matched"]
    assert fair["difference"] == pytest.approx(RAISED, abs=0.02)
    assert fair["low"] < fair["difference"] < fair["high"]
    family = summary.loc["forward"]
    np.testing.assert_allclose(family["p_holm"], holm(family["p"].to_numpy()))
    assert fair["share_as_expected"] == (tables[0]["slope"] * PAIRS["sign"] > 0).mean()
    assert 0.4 < fair["share_as_expected_control"] < 0.6
    assert fair["share_above_q05"] > 0.9 > 0.1 > fair["share_below_q05"]
    between = summary.loc["forward less reverse", "expression_matched"]
    effects = [table["effect_expression_matched"].mean() for table in tables]
    # Each input of the table has as many pairs, so that its pairs' mean is that of its inputs.
    assert between["difference"] == pytest.approx(effects[0] - effects[1], rel=0.05)
    assert between["difference"] > 0 and between["p_holm"] < 0.05


@pytest.mark.parametrize("unit", ["inputs", "patients"])
def test_all_statistics_of_a_row_are_over_its_unit(unit):
    """Of inputs with unequal numbers of pairs, and patients with unequal numbers of samples."""
    pairs = PAIRS.drop(index=[3, 7, 8]).reset_index(drop=True)
    both, slopes, tables = tables_of(pairs=pairs)
    row = by_comparison(response_summary(both[0], slopes, tables), unit).loc["forward", "random"]
    found = slopes[0].by_sample * pairs["sign"].to_numpy()[:, None, None]
    long = pd.DataFrame(
        {
            "matched": found[:, 0].ravel(),
            "reference": found[:, CONTROLS.index("random") + 1].ravel(),
            "inputs": np.repeat(pairs["input"], len(PATIENTS)).to_numpy(),
            "pair": np.repeat(pairs.index, len(PATIENTS)),
            "patients": [*PATIENTS] * len(pairs),
        }
    )
    by_pair = long.groupby(["inputs", "pair", "patients"]).mean()
    values = by_pair.groupby(["inputs", "patients"]).mean().groupby(unit).mean()
    difference = values["matched"] - values["reference"]
    assert (row["n"], row["n_pairs"]) == (len(difference), len(pairs))
    assert row["n"] == {"inputs": 12, "patients": 8}[unit]
    assert row["matched"] == pytest.approx(values["matched"].mean(), rel=1e-6)
    assert row["reference"] == pytest.approx(values["reference"].mean(), rel=1e-6)
    assert row["difference"] == pytest.approx(difference.mean(), rel=1e-6)
    interval = stats.t.interval(0.95, row["n"] - 1, difference.mean(), stats.sem(difference))
    assert (row["low"], row["high"]) == pytest.approx(interval, rel=1e-6)
    assert row["cohens_d_z"] == pytest.approx(difference.mean() / difference.std(), rel=1e-6)
    assert row["share_above"] == (difference > 0).mean()
    assert row["p"] == pytest.approx(sign_flip(difference.to_numpy()))
    assert row["smallest_p"] == 2.0 ** (1 - row["n"])


def test_inputs_and_patients_test_the_same_difference():
    both, slopes, tables = tables_of()
    table = response_summary(both[0], slopes, tables)
    np.testing.assert_allclose(
        *(by_comparison(table, unit)["difference"] for unit in ("inputs", "patients"))
    )


def test_nothing_put_in_is_nothing_found():
    both, slopes, tables = tables_of(raised=0)
    summary = by_comparison(response_summary(both[0], slopes, tables))
    assert (summary["p_holm"] > 0.05).all()
    assert (summary["low"] < 0).all() and (summary["high"] > 0).all()
    assert summary["share_as_expected"].dropna().between(0.3, 0.7).all()


def test_pairs_without_an_effect_are_left_out_of_the_comparison():
    both, slopes, tables = tables_of()
    slopes[0].spread[5] = np.nan  # control genes that do not respond at all
    summary = response_summary(both[0], slopes, tables)
    counts = summary.groupby("direction")["n_pairs"].max()
    assert (counts["forward"], counts["forward less reverse"]) == (len(PAIRS), len(PAIRS) - 1)


def test_both_means_of_a_comparison_are_of_its_pairs_alone():
    both, slopes, tables = tables_of(raised=RAISED)
    slopes[0].by_sample[5, 1] = np.nan  # its input is paired with all outputs: none is unmatched
    slopes[0].by_sample[5, 0] = 7
    summary = response_summary(both[0], slopes, tables)
    assert summary["n_pairs"].iloc[0] == len(PAIRS) - 1
    difference = summary["matched"] - summary["reference"]
    np.testing.assert_allclose(difference, summary["difference"], rtol=1e-6, atol=1e-9)


def test_control_genes_that_hardly_move_do_not_make_the_mean():
    both, slopes, tables = tables_of()
    slopes[0].spread[5] = 1e-9
    summary = by_comparison(response_summary(both[0], slopes, tables))
    assert summary.loc["forward less reverse", "random"]["matched"] < 4
    assert (tables[0].drop(index=5)["effect_random"].abs() < 10).all()


def discriminated(raised, slopes=None, coexpression=None):
    responses = responses_like(PAIRS, raised, slopes=slopes)
    genes = genes_like(PAIRS)
    means = pd.concat(
        [genes.set_index("input")["input_mean"], genes.set_index("output")["output_mean"]]
    )
    means = means[~means.index.duplicated()]
    known = coexpression or coexpression_like(responses)
    return discrimination_table(responses, known, means, seed=0).set_index("score")


def test_slopes_of_pairs_stand_out_and_more_than_coexpression_explains():
    table = discriminated(raised=0.5)
    assert list(table.index) == list(SCORES)
    assert table.loc["slope", "auroc"] == pytest.approx(1)
    assert table.loc["slope", "average_precision"] == pytest.approx(1)
    assert table.loc["slope_remainder", "auroc_low"] > 0.9
    other = table.loc["coexpression_pooled"]
    assert 0.3 < other["auroc_low"] < other["auroc"] < other["auroc_high"] < 0.7
    assert other["slope_advantage"] == pytest.approx(1 - other["auroc"])
    assert other["slope_advantage_low"] > 0.3
    inputs, outputs = (PAIRS[side].nunique() for side in ("input", "output"))
    assert (table["n_entries"] == inputs * outputs - 1).all()  # the pair of negative sign is out
    assert (table["n_pairs"] == len(PAIRS) - 1).all()


def test_slopes_that_are_coexpression_leave_nothing():
    """Pairs are co-expressed, and the slopes repeat just that, on another scale."""
    plain = responses_like(PAIRS, 0.1)
    own = np.clip(plain.slopes + 0.5, 0.01, None)
    known = Coexpression(plain.inputs, plain.outputs, own, own)
    rng = np.random.default_rng(3)
    table = discriminated(0, np.log(own) + rng.normal(0, 0.01, own.shape), known)
    assert table.loc["slope", "auroc"] > 0.85
    assert table.loc["coexpression_pooled", "spearman_slope"] > 0.95
    left = table.loc["slope_remainder"]
    assert left["auroc_low"] < 0.5 < left["auroc_high"]
    rank = stats.spearmanr(np.log(own).ravel(), own.ravel())[0]
    assert rank == pytest.approx(1)


def test_all_tables_of_both_directions():
    both = responses_like(PAIRS, RAISED), responses_like(exchanged(PAIRS), 0.0, seed=1)
    known = tuple(map(coexpression_like, both))
    tables = summarise_pairs(both, known, genes_like(PAIRS), seed=3)
    again = summarise_pairs(both, known, genes_like(PAIRS), seed=3)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, again[name])
    assert len(tables["pairs"]) == len(PAIRS)
    back = tables["pairs"]["reverse_effect_expression_matched"]
    assert back.mean() < tables["pairs"]["effect_expression_matched"].mean()
    for name in ("levels", "discrimination"):
        assert set(tables[name]["direction"]) == {"forward", "reverse"}
