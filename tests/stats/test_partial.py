"""Partial correlation from sums, against explicit regressions."""

import numpy as np
import pytest
from scipy import stats

from sagefm.stats.correlation import Moments
from sagefm.stats.partial import Covariates

SPOTS, GENES = 60, 7


@pytest.fixture
def drawn():
    rng = np.random.default_rng(1)
    z = np.stack([rng.gamma(3, 1, SPOTS) + 8, rng.normal(size=SPOTS)], axis=1)
    truth = rng.normal(size=(SPOTS, GENES)) + 0.7 * z[:, :1]
    predicted = np.stack([truth + rng.normal(size=truth.shape), rng.normal(size=truth.shape)])
    return truth, predicted.astype(np.float32), rng.random(truth.shape) < 0.5, z


def summed(truth, predicted, mask, z, parts=1):
    sums = Moments.zeros(len(predicted), GENES), Covariates.zeros(z.shape[1], len(predicted), GENES)
    for rows in np.array_split(np.arange(SPOTS), parts):
        batch = truth[rows], predicted[:, rows], mask[rows]
        sums[0].add(*batch)
        sums[1].add(*batch, z[rows])
    return sums[1].partial(sums[0])


@pytest.mark.parametrize("parts", [1, 7])
def test_equals_the_correlation_of_residuals(drawn, parts):
    truth, predicted, mask, z = drawn
    found = summed(*drawn, parts)
    for g in range(GENES):
        rows = mask[:, g]
        design = np.column_stack([np.ones(rows.sum()), z[rows]])
        for p in range(2):
            sides = np.stack([truth[rows, g], predicted[p, rows, g]], axis=1)
            rest = sides - design @ np.linalg.lstsq(design, sides, rcond=None)[0]
            expected = stats.pearsonr(*rest.T).statistic
            assert found[p, g] == pytest.approx(expected, abs=1e-6)


def test_a_constant_covariate_changes_nothing(drawn):
    truth, predicted, mask, _ = drawn
    moments = Moments.zeros(2, GENES)
    moments.add(truth, predicted, mask)
    found = summed(truth, predicted, mask, np.full((SPOTS, 2), 8.25))
    np.testing.assert_allclose(found, moments.pearson(), atol=1e-9)


def test_what_the_covariate_explains_wholly_has_no_correlation(drawn):
    truth, predicted, mask, z = drawn
    predicted[1] = 2 * z[:, :1] - z[:, 1:] + 1
    predicted[0, :, 3] = 4
    found = summed(truth, predicted, mask, z)
    assert np.isnan(found[1]).all()
    assert np.isnan(found[0, 3]) and np.isfinite(np.delete(found[0], 3)).all()


def test_pairs_need_a_degree_of_freedom(drawn):
    truth, predicted, mask, z = drawn
    mask[:] = False
    mask[:4], mask[4, 0] = True, True
    found = summed(truth, predicted, mask, z)
    assert np.isfinite(found[:, 0]).all() and np.isnan(found[:, 1:]).all()
