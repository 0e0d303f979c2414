"""Principal components equal those of a dense analysis, and are reproducible."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.decomposition import PCA

from sagefm.stats.components import (
    components_within,
    dense_components,
    fill_unmeasured,
    principal_components,
    varimax,
)
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


@pytest.mark.parametrize("shape", [(90, 30), (30, 90), (40, 3)])
def test_dense_components_are_exact_though_variance_falls_slowly(shape):
    values = np.random.default_rng(4).normal(3, 1, shape).astype(np.float32)
    k = min(12, shape[1])
    found = dense_components(values, 12)
    expected = PCA(k, svd_solver="full").fit_transform(values.astype(float))
    assert found.shape == (shape[0], k) and found.dtype == np.float32
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-3)


def test_components_of_averages_are_those_of_the_averages_formed(expression):
    rng = np.random.default_rng(2)
    average = sp.random(120, 120, density=0.1, rng=rng, format="csr")
    found = principal_components(expression, 5, seed=0, average=average)
    expected = principal_components(sp.csr_matrix(average @ expression), 5, seed=0)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("averaged", [False, True])
def test_genes_that_a_section_did_not_measure_are_the_mean_of_the_others(expression, averaged):
    groups = np.repeat([0, 1, 2], 40)
    measured = np.random.default_rng(5).random((3, expression.shape[1])) > 0.3
    values = np.where(measured[groups], expression.toarray().astype(float), 0)
    means = values.sum(axis=0) / np.maximum(measured[groups].sum(axis=0), 1)
    filled = np.where(measured[groups], values, means)
    own = np.repeat(np.eye(60), 2, axis=0).repeat(2, axis=1) / 2 if averaged else np.eye(120)
    average = sp.csr_matrix(own) if averaged else None
    sparse = sp.csr_matrix(values)
    fill = fill_unmeasured(sparse, groups, measured)
    scores, loadings, mean = principal_components(sparse, 5, 0, average=average, fill=fill)
    fitted = PCA(5, svd_solver="full")
    expected = fitted.fit_transform(own @ filled)
    signs = np.sign((scores * expected).sum(axis=0))
    np.testing.assert_allclose(scores * signs, expected, atol=1e-3)
    np.testing.assert_allclose(loadings * signs[:, None], fitted.components_, atol=1e-3)
    np.testing.assert_allclose(mean, filled.mean(axis=0), atol=1e-5)


def test_the_last_components_are_the_same_at_every_run(expression):
    runs = [principal_components(expression, 50, seed=0)[0] for _ in range(4)]
    for run in runs[1:]:
        np.testing.assert_array_equal(run, runs[0])


def test_there_are_no_more_components_than_the_data_have(expression):
    assert principal_components(expression[:6], 50, seed=0)[0].shape == (6, 5)


def test_components_within_groups_are_those_of_what_is_formed(expression):
    rng = np.random.default_rng(2)
    averages = [sp.identity(120, format="csr"), sp.random(120, 120, 0.1, rng=rng, format="csr")]
    groups = np.repeat([0, 2, 1], 40)
    scores, loadings = components_within(expression, averages, groups, 5, seed=0)
    dense = np.concatenate([(one @ expression).toarray() for one in averages], axis=1)
    for group in range(3):
        dense[groups == group] -= dense[groups == group].mean(axis=0)
    assert loadings.shape == (5, 2, expression.shape[1])
    flat = loadings.reshape(5, -1)
    np.testing.assert_allclose(dense @ flat.T, scores, atol=1e-3)
    expected = np.linalg.svd(dense.astype(float), compute_uv=False)[:5]
    np.testing.assert_allclose(np.linalg.norm(scores, axis=0), expected, rtol=1e-4)
    np.testing.assert_allclose(flat @ flat.T, np.eye(5), atol=1e-4)


def test_varimax_finds_loadings_that_were_turned():
    """Three components with genes of their own, turned at random, are told apart again."""
    rng = np.random.default_rng(0)
    own = np.zeros((3, 90))
    for component in range(3):
        own[component, 30 * component : 30 * (component + 1)] = rng.uniform(0.5, 1, 30)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation = varimax(turn @ own)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    found = rotation @ turn @ own
    order = np.argmax(found[:, ::30], axis=0)
    np.testing.assert_allclose(found[order], own, atol=0.05)
