"""Principal components: those of a dense analysis, and the same ones every time."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.decomposition import PCA

import cohorts
from sagefm.principal import principal_components


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


def test_the_last_components_are_the_same_at_every_run(expression):
    runs = [principal_components(expression, 50, seed=0)[0] for _ in range(4)]
    for run in runs[1:]:
        np.testing.assert_array_equal(run, runs[0])


def test_there_are_no_more_components_than_the_data_have(expression):
    assert principal_components(expression[:6], 50, seed=0)[0].shape == (6, 5)
