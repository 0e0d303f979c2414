"""Representations of a cohort: rows in the samples' order, whole files or none."""

import tracemalloc

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.decomposition import PCA

import small
from sagefm.errors import InputError
from sagefm.graphs import load_graph
from sagefm.io import read_h5ad, write_h5ad
from sagefm.representations import (
    cohort_obs,
    expression_of,
    neighbour_mean_of,
    read_spatial,
    reference_pca,
    write_representation,
)

SPOTS, GENES, WIDTH = 40, 120, 4
SAMPLES = ("heart-2", "SPA147", "heart-1")
"""In an order that is no sorted one."""


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> tuple[list, list]:
    """Paths of three samples, the second with labels, and of their graphs."""
    sections = small.write_sections(tmp_path_factory.mktemp("cohort"), SAMPLES, SPOTS, GENES)
    for section in sections:
        adata = read_h5ad(section.counts_path)
        facts = {"sample": section.sample, "patient": f"P-{section.sample}"}
        adata.uns["provenance"] = facts | {"organ": "Heart", "disease_state": ""}
        if section.sample == "SPA147":
            adata.obs["label"] = pd.Categorical(["tumour"] * 10 + [None] * (SPOTS - 10))
        write_h5ad(adata, section.counts_path)
    return [s.counts_path for s in sections], [s.graph_path for s in sections]


@pytest.fixture(scope="module")
def stacked(cohort) -> np.ndarray:
    """The samples' log1p expression, dense, one below the other."""
    return np.concatenate([np.log1p(read_h5ad(p).X.toarray()) for p in cohort[0]])


def values() -> np.ndarray:
    return np.arange(len(SAMPLES) * SPOTS * WIDTH, dtype=np.float32).reshape(-1, WIDTH)


def test_rows_are_in_the_samples_order(cohort, tmp_path):
    path = tmp_path / "cohort/sagefm-x.h5ad"
    blocks = np.array_split(values(), [7, 50, 51])  # no block ends where a sample does
    write_representation(path, "sagefm-x", cohort[0], blocks, WIDTH)
    found = anndata.read_h5ad(path)
    np.testing.assert_array_equal(found.obsm["X_sagefm-x"], values())
    assert found.obsm["X_sagefm-x"].dtype == np.float32
    assert list(found.obs["sample"]) == list(np.repeat(SAMPLES, SPOTS))
    spots = np.concatenate([read_h5ad(p).obs_names for p in cohort[0]])
    assert list(found.obs["spot"]) == list(spots)
    assert list(found.obs_names) == [
        f"{s}:{x}" for s, x in zip(np.repeat(SAMPLES, SPOTS), spots, strict=True)
    ]
    spatial = np.concatenate([read_spatial(p) for p in cohort[0]])
    np.testing.assert_array_equal(found.obsm["spatial"], spatial)


def test_labels_are_there_where_a_sample_has_them(cohort):
    obs = cohort_obs(cohort[0])
    assert (obs["label"] == "tumour").sum() == 10
    assert set(obs.loc[obs["label"] == "tumour", "sample"]) == {"SPA147"}
    assert obs["label"].isna().sum() == len(obs) - 10
    assert list(obs["patient"].unique()) == [f"P-{sample}" for sample in SAMPLES]
    assert "label" not in cohort_obs([cohort[0][0]])


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([values()[:50], np.full((70, WIDTH), np.nan)], "NaN in rows from 50 on"),
        ([values()[:-1]], "119 rows for 120 spots"),
        ([values(), values()[:1]], "121|shape|broadcast"),
        ([], "0 rows for 120 spots"),
    ],
    ids=["NaN", "too few", "too many", "none"],
)
def test_a_wrong_representation_leaves_no_file(cohort, tmp_path, blocks, words):
    with pytest.raises((ValueError, TypeError), match=words):
        write_representation(tmp_path / "x.h5ad", "x", cohort[0], blocks, WIDTH)
    assert not list(tmp_path.iterdir())


def test_one_block_is_held_at_a_time(cohort, tmp_path):
    """A wide representation: as a whole 12 MB, a block of it 1 MB."""
    width = 25_000
    blocks = (np.ones((10, width), np.float32) for _ in range(len(SAMPLES) * SPOTS // 10))
    tracemalloc.start()
    try:
        write_representation(tmp_path / "wide.h5ad", "wide", cohort[0], blocks, width)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6e6
    with h5py.File(tmp_path / "wide.h5ad") as file:
        assert file["obsm/X_wide"].shape == (120, width)
        assert (file["obsm/X_wide"][-1] == 1).all()


def test_a_disk_too_small_is_told_before_it_is_full(cohort, tmp_path):
    """HDF5 would crash; a width whose file no disk holds stands for a small disk."""
    with pytest.raises(InputError, match=r"x\.h5ad: no space left on the disk"):
        write_representation(tmp_path / "x.h5ad", "x", cohort[0], [], 10**15)
    assert not list(tmp_path.iterdir())


def test_pca_is_sklearns(cohort, stacked):
    found = reference_pca(expression_of(cohort[0], "log1p"), 5, seed=0)
    expected = PCA(5, svd_solver="full").fit_transform(stacked.astype(float))
    assert found.shape == (len(stacked), 5)
    assert found.dtype == np.float32
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-3)


def test_pca_has_no_more_components_than_there_are(cohort):
    few = (matrix[:2] for matrix in expression_of(cohort[0], "log1p"))
    assert reference_pca(few, 50, seed=0).shape == (6, 5)


def test_neighbour_mean_is_the_mean_of_the_neighbourhood(cohort, stacked):
    found = list(neighbour_mean_of(*cohort, "log1p"))
    assert all(sp.issparse(matrix) for matrix in found)
    for i, (matrix, path) in enumerate(zip(found, cohort[1], strict=True)):
        graph, own = load_graph(path), stacked[i * SPOTS : (i + 1) * SPOTS]
        for spot in range(SPOTS):
            near = graph.ego[graph.indptr[spot] : graph.indptr[spot + 1]]
            assert len(near) == 15
            mean = own[near].mean(axis=0)
            np.testing.assert_allclose(matrix[spot].toarray()[0], mean, atol=1e-5)


def test_a_graph_too_few_is_told(cohort):
    with pytest.raises(ValueError, match="shorter"):
        list(neighbour_mean_of(cohort[0], cohort[1][:-1], "log1p"))
