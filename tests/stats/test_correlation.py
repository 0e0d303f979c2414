"""Correlations from sums equal scipy's, gene by gene, over hidden entries only."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from sagefm.stats.correlation import Moments, benjamini_hochberg, masked_spearman, p_value

SPOTS, GENES, PREDICTIONS = 60, 7, 3
CONSTANT = 2
"""A gene whose truth never varies."""


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sparse counts with many ties, predictions near them, and a mask: float32 and bool."""
    rng = np.random.default_rng(3)
    truth = np.log1p(rng.poisson(0.8, (SPOTS, GENES))).astype(np.float32)
    truth[:, CONSTANT] = 0
    noise = rng.normal(0, 1, (PREDICTIONS, SPOTS, GENES))
    predicted = np.maximum(0.3 * truth + noise, 0).astype(np.float32)
    predicted[2] = 0.37  # a constant prediction, which float32 does not hold exactly
    return truth, predicted, rng.random((SPOTS, GENES)) < 0.4


@pytest.fixture
def moments(data) -> Moments:
    """The sums of `data`, in batches of unequal size."""
    truth, predicted, mask = data
    total = Moments.zeros(PREDICTIONS, GENES)
    for rows in np.split(np.arange(SPOTS), [7, 8, 40]):
        total.add(truth[rows], predicted[:, rows], mask[rows])
    return total


def hidden(data, p, g):
    """Truth and prediction of a gene's hidden entries, as float64."""
    truth, predicted, mask = data
    return truth[mask[:, g], g].astype(float), predicted[p, mask[:, g], g].astype(float)


@pytest.mark.filterwarnings("ignore::scipy.stats.ConstantInputWarning")
def test_pearson_and_its_p_are_scipys(data, moments):
    r = moments.pearson()
    p = p_value(r, moments.n)
    assert r.shape == p.shape == (PREDICTIONS, GENES)
    for i in range(2):
        for g in set(range(GENES)) - {CONSTANT}:
            expected = stats.pearsonr(*hidden(data, i, g))
            assert r[i, g] == pytest.approx(expected.statistic, abs=1e-6)
            assert p[i, g] == pytest.approx(expected.pvalue, rel=1e-4)


def test_what_is_constant_has_no_correlation(moments):
    r = moments.pearson()
    assert np.isnan(r[:, CONSTANT]).all()
    assert np.isnan(r[2]).all()
    assert np.isnan(p_value(r, moments.n)[2]).all()
    assert np.isfinite(np.delete(r[:2], CONSTANT, axis=1)).all()


def test_squared_error_is_over_hidden_entries(data, moments):
    truth, predicted, mask = data
    expected = (np.square(predicted.astype(float) - truth) * mask).sum(axis=1)
    np.testing.assert_allclose(moments.squared_error(), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(moments.n, mask.sum(axis=0))


def test_sums_of_parts_add_up(data, moments):
    truth, predicted, mask = data
    parts = Moments.zeros(PREDICTIONS, GENES)
    for rows in (slice(0, 25), slice(25, None)):
        part = Moments.zeros(PREDICTIONS, GENES)
        part.add(truth[rows], predicted[:, rows], mask[rows])
        parts += part
    for name, values in vars(moments).items():
        np.testing.assert_allclose(getattr(parts, name), values, rtol=1e-6)


def test_what_is_not_hidden_does_not_count(data, moments):
    truth, predicted, mask = data
    other = Moments.zeros(PREDICTIONS, GENES)
    other.add(np.where(mask, truth, 99), np.where(mask, predicted, -99), mask)
    np.testing.assert_allclose(other.pearson(), moments.pearson(), atol=1e-9)


def test_spearman_and_its_p_are_scipys_with_ties(data):
    truth, predicted, mask = data
    assert len(np.unique(truth[:, 0])) < 10
    rho, _, constant = masked_spearman(truth, predicted[:3], mask)
    p = p_value(rho, mask.sum(axis=0))
    for g in set(range(GENES)) - {CONSTANT}:
        expected = stats.spearmanr(*hidden(data, 0, g))
        assert rho[g] == pytest.approx(expected.statistic, abs=1e-9)
        assert p[g] == pytest.approx(expected.pvalue, rel=1e-6)
    assert np.isnan(rho[CONSTANT])
    assert np.isnan(constant).all()


def test_few_and_perfect_pairs():
    x = np.arange(4.0)[:, None]
    two = np.array([True, True, False, False])[:, None]
    moments = Moments.zeros(1, 1)
    moments.add(x, x[None], two)
    assert np.isnan(moments.pearson()).all()  # two points always lie on a line
    assert masked_spearman(x, -x[None], np.ones((4, 1), bool)) == pytest.approx(-1)
    assert p_value(np.array([1.0, -1.0]), np.array([4, 4])) == pytest.approx(0)


@pytest.mark.filterwarnings("error")
def test_a_gene_that_was_never_hidden_is_no_warning():
    moments = Moments.zeros(1, 3)
    moments.add(np.ones((5, 3)), np.ones((1, 5, 3)), np.zeros((5, 3), bool))
    assert np.isnan(p_value(moments.pearson(), moments.n)).all()


def test_benjamini_hochberg_is_statsmodels_and_passes_over_nan():
    p = np.random.default_rng(0).random(50) ** 3
    p[10:12] = p[12]  # ties
    expected = multipletests(p, method="fdr_bh")[1]
    np.testing.assert_allclose(benjamini_hochberg(p), expected)
    with_gaps = np.insert(p, [0, 20, 50], np.nan)
    q = benjamini_hochberg(with_gaps)
    np.testing.assert_array_equal(np.isnan(q), np.isnan(with_gaps))
    np.testing.assert_allclose(q[~np.isnan(q)], expected)
    assert np.isnan(benjamini_hochberg(np.full(3, np.nan))).all()
