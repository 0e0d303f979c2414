"""The sign-flip test against all patterns enumerated; intervals and corrections."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from sagefm.stats.paired import (
    holm,
    holm_within,
    paired_difference,
    sign_flip,
    smallest_p,
    t_interval,
)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_exact_equals_every_pattern_written_out(n):
    differences = np.random.default_rng(n).normal(0.5, 1, n)
    means = [np.mean(differences * signs) for signs in product([-1, 1], repeat=n)]
    expected = np.mean(np.abs(means) >= abs(differences.mean()) - 1e-12)
    assert sign_flip(differences) == pytest.approx(expected)


def test_the_smallest_p_value_is_that_of_two_patterns():
    assert sign_flip(np.arange(1, 9) / 10) == 2 / 2**8


def test_ties_count_whatever_the_order_of_summation():
    # Both patterns of equal sums are as extreme as the one seen.
    assert sign_flip(np.array([0.1, 0.2, 0.3, -0.3])) == np.mean(
        [abs(a + 2 * b + 3 * c - 3 * d) >= 3 for a, b, c, d in product([-1, 1], repeat=4)]
    )
    assert sign_flip(np.zeros(6)) == 1


def test_sampled_patterns_agree_with_all_of_them(monkeypatch):
    differences = np.random.default_rng(0).normal(0.4, 1, 14)
    exact = sign_flip(differences)
    monkeypatch.setattr("sagefm.stats.paired.EXACT_UP_TO", 5)
    sampled = sign_flip(differences, draws=20_000, seed=3)
    assert sampled == pytest.approx(exact, abs=0.01)
    assert sampled == sign_flip(differences, draws=20_000, seed=3)
    assert sign_flip(np.full(40, 1.0), draws=99) == 1 / 100


def test_pairs_without_a_value_are_left_out():
    assert sign_flip(np.array([1.0, np.nan, 2.0])) == sign_flip(np.array([1.0, 2.0])) == 0.5
    assert np.isnan(sign_flip(np.array([np.nan])))
    with pytest.raises(ValueError, match="one-dimensional"):
        sign_flip(np.ones((2, 2)))


def test_holm_equals_statsmodels():
    for p_values in (np.random.default_rng(0).random(9) ** 3, [0.01, 0.01, 0.3, 0.02, 0.3]):
        expected = multipletests(p_values, method="holm")[1]
        np.testing.assert_array_equal(holm(p_values), expected)


def test_holm_keeps_nan_and_does_not_count_it():
    p_values = [0.01, np.nan, 0.04, 0.03, 0.005, 0.6]
    # Holm (1979): the smallest of five five times, the next four times, ..., never falling.
    np.testing.assert_allclose(holm(p_values), [0.04, np.nan, 0.09, 0.09, 0.025, 0.6])
    np.testing.assert_array_equal(holm([0.7, 0.8]), [1, 1])
    assert len(holm([])) == 0 and np.isnan(holm([np.nan, np.nan])).all()


def test_an_interval_of_equal_values_has_no_width():
    assert t_interval(np.full(3, 0.25)) == (0.25, 0.25, 0.25)


def test_a_paired_difference_says_all_of_it():
    values = np.array([0.4, -0.1, np.nan, 0.3, 0.2])
    pairs = values[~np.isnan(values)]
    found = paired_difference(values)
    test = stats.ttest_1samp(pairs, 0)
    low, high = test.confidence_interval(0.95)
    assert (found["difference"], found["low"], found["high"]) == pytest.approx((0.2, low, high))
    assert (found["n"], found["better_in"], found["smallest_p"]) == (4, 3, 2 / 2**4)
    assert found["p"] == sign_flip(pairs)
    assert paired_difference(values, lower_is_better=True)["better_in"] == 1


def test_few_pairs_have_wide_intervals_or_none():
    two = paired_difference(np.array([0.4, 0.5]))
    assert (two["p"], two["smallest_p"]) == (0.5, 0.5)
    assert two["low"] < 0 < two["high"]  # 12.7 standard errors
    one = paired_difference(np.array([0.4]))
    assert one["difference"] == 0.4 and np.isnan(one["low"]) and one["smallest_p"] == 1
    none = paired_difference(np.array([np.nan]))
    assert none["n"] == none["better_in"] == 0
    assert np.isnan([none[key] for key in ("difference", "low", "p", "smallest_p")]).all()


@pytest.mark.parametrize("n", [1, 3, 18, 40])
def test_the_smallest_p_value_is_that_of_equal_differences(n):
    assert sign_flip(np.full(n, 1.0)) == smallest_p(n)


def test_each_family_is_corrected_by_itself():
    """A missing name is a family of its own; without columns all tests are one family."""
    table = pd.DataFrame(
        {
            "metric": ["ari", "nmi", "ari", None, "ari", None],
            "p": [0.01, 0.03, 0.04, 0.2, np.nan, 0.03],
        },
        index=[5, 3, 1, 9, 7, 2],
    )
    expected = [0.02, 0.03, 0.04, 0.2, np.nan, 0.06]
    np.testing.assert_allclose(holm_within(table, ["metric"]).loc[table.index], expected)
    known = table["p"].dropna()
    found = holm_within(table, [])[known.index]
    np.testing.assert_allclose(found, multipletests(known, method="holm")[1])
