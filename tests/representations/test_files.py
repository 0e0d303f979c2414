"""Representations of a cohort: rows in the samples' order, and complete files or none."""

import shutil
import tracemalloc

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sagefm.common.errors import InputError
from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.representations.files import (
    centre,
    read_representation,
    require_same_spots,
    write_representation,
)
from sagefm.sections.cohort import Cohort
from support import cohorts

SPOTS, WIDTH = cohorts.SPOTS, 4
SAMPLES = cohorts.SAMPLES
FACTS = {"method": "x", "spatial": True, "transductive": False, "withheld_genes": 0}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Cohort:
    return cohorts.write_cohort(tmp_path_factory.mktemp("cohort"))


def values() -> np.ndarray:
    return np.arange(len(SAMPLES) * SPOTS * WIDTH, dtype=np.float32).reshape(-1, WIDTH)


def test_rows_are_in_the_samples_order(cohort, tmp_path):
    path = tmp_path / "cohort/sagefm-x.h5ad"
    blocks = np.array_split(values(), [7, 50, 51])  # no block ends where a sample does
    write_representation(path, "sagefm-x", cohort, blocks, FACTS)
    found = read_representation(path)
    np.testing.assert_array_equal(found.values, values())
    assert found.values.dtype == np.float32
    assert (found.name, found.spatial_method, found.transductive) == ("sagefm-x", True, False)
    assert list(found.obs["sample"]) == list(np.repeat(SAMPLES, SPOTS))
    sections = [read_h5ad(p) for p in cohort.samples]
    assert list(found.obs["spot"]) == [spot for s in sections for spot in s.obs_names]
    spatial = np.concatenate([s.obsm["spatial"] for s in sections])
    np.testing.assert_array_equal(found.spatial, spatial)


def test_a_sparse_representation_stays_sparse(cohort, tmp_path):
    path, sparse = tmp_path / "raw.h5ad", sp.csr_matrix(values() * (values() % 3 == 0))
    write_representation(path, "raw", cohort, sparse, FACTS)
    found = read_representation(path)
    assert sp.issparse(found.values)
    np.testing.assert_array_equal(found.values.toarray(), sparse.toarray())
    np.testing.assert_allclose(
        found.centred(), centre(sparse.toarray(), np.repeat(SAMPLES, SPOTS)), atol=1e-5
    )


def test_centring_takes_each_samples_mean_away():
    samples = np.repeat(["b", "a"], [3, 2])
    dense = np.array([[1, 5], [2, 5], [3, 8], [10, 0], [20, 0]], np.float32)
    found = centre(dense, samples)
    np.testing.assert_allclose(found, [[-1, -1], [0, -1], [1, 2], [-5, 0], [5, 0]])
    assert dense[0, 0] == 1


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([values()[:50], np.full((70, WIDTH), np.nan)], "not a number in the rows from 50 on"),
        ([values()[:50], np.full((70, WIDTH), np.inf)], "not a number in the rows from 50 on"),
        ([values()[:-1]], "119 rows for 120 spots"),
        ([values(), values()[:1]], "121 rows for 120 spots"),
        ([], "0 rows for 120 spots"),
        (sp.csr_matrix(values()[:-1]), "119 rows for 120 spots"),
        (sp.csr_matrix(np.full((120, WIDTH), np.nan)), "not a number"),
    ],
    ids=["NaN", "infinite", "too few", "too many", "none", "sparse, too few", "sparse, NaN"],
)
def test_a_wrong_representation_leaves_no_file(cohort, tmp_path, blocks, words):
    with pytest.raises(ValueError, match=words):
        write_representation(tmp_path / "x.h5ad", "x", cohort, blocks, FACTS)
    assert not list(tmp_path.iterdir())


def test_one_block_is_held_at_a_time(cohort, tmp_path):
    """A wide representation: as a whole 12 MB, a block of it 1 MB."""
    width = 25_000
    blocks = (np.ones((10, width), np.float32) for _ in range(len(SAMPLES) * SPOTS // 10))
    tracemalloc.start()
    try:
        write_representation(tmp_path / "wide.h5ad", "wide", cohort, blocks, FACTS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6e6
    with h5py.File(tmp_path / "wide.h5ad") as file:
        assert file["obsm/X_wide"].shape == (120, width)
        assert (file["obsm/X_wide"][-1] == 1).all()


def test_a_disk_too_small_is_told_before_it_is_full(cohort, tmp_path, monkeypatch):
    """HDF5 would crash on a disk that is full."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(InputError, match=r"x\.h5ad.*no space left on the disk"):
        write_representation(tmp_path / "x.h5ad", "x", cohort, [values()], FACTS)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_none_is_told(cohort, tmp_path):
    with pytest.raises(
        InputError, match=r"heart-2\.h5ad: has no representation\. Fix: remove it and run again\.$"
    ):
        read_representation(cohort.samples[0])
    path = tmp_path / "x.h5ad"
    write_representation(path, "x", cohort, [values()], FACTS)
    adata = anndata.read_h5ad(path)
    adata.obsm["X_x"][5, 1] = np.nan
    write_h5ad(adata, path)
    with pytest.raises(InputError, match="`x` has values that are not numbers"):
        read_representation(path)


def test_other_spots_are_told():
    spots = pd.Index(["a:1", "a:2"])
    require_same_spots(spots, pd.Index(["a:1", "a:2"]), "x.h5ad")
    for other in (["a:2", "a:1"], ["a:1"], ["b:1", "b:2"]):
        with pytest.raises(InputError, match=r"x\.h5ad: its spots are not those of the cohort"):
            require_same_spots(spots, pd.Index(other), "x.h5ad")
