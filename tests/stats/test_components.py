"""Principal components: those of a dense analysis, and the same ones every time."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.decomposition import PCA

from sagefm.stats.components import principal_components
from support import cohorts


@pytest.fixture(scope="module")
def expression(tmp_path_factory) -> sp.csr_matrix:
    return cohorts.write_cohort(tmp_path_factory.mktemp("cohort")).expression("log1p")


def test_components_are_sklearns(expression):
    scores, loadings, mean = principal_components(expression, 5, seed=0)
    dense = expression.toarray().astype(float)
    fitted = PCA(5, svd_solver="full")
    expected = fitted.fit_transform(dense)
    assert scores.shape == (120, 5)
    assert {part.dtype for part in (scores, loadings, mean)} == {np.dtype(np.float32)}
    signs = np.sign((scores * expected).sum(axis=0))
    np.testing.assert_allclose(scores * signs, expected, atol=1e-3)
    np.testing.assert_allclose(loadings * signs[:, None], fitted.components_, atol=1e-3)
    np.testing.assert_allclose((dense - mean) @ loadings.T, scores, atol=1e-3)


def test_components_of_averages_are_those_of_the_averages_formed(expression):
    rng = np.random.default_rng(2)
    average = sp.random(120, 120, density=0.1, rng=rng, format="csr")
    found = principal_components(expression, 5, seed=0, average=average)
    expected = principal_components(sp.csr_matrix(average @ expression), 5, seed=0)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_last_components_are_the_same_at_every_run(expression):
    runs = [principal_components(expression, 50, seed=0)[0] for _ in range(4)]
    for run in runs[1:]:
        np.testing.assert_array_equal(run, runs[0])


def test_there_are_no_more_components_than_the_data_have(expression):
    assert principal_components(expression[:6], 50, seed=0)[0].shape == (6, 5)
