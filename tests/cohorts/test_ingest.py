"""A row of a sheet becomes a harmonised sample with provenance; errors name the row."""

import hashlib

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sagefm.cohorts.ingest import ingest
from sagefm.common import h5ad, io
from sagefm.common.errors import InputError
from sagefm.config import sheets
from support import helpers

HEART = helpers.REPO / "resources/demo/st/heart-1.h5ad"
ROW = {
    "cohort": "atlas",
    "sample": "heart-1",
    "path_or_id": "resources/demo/st/heart-1.h5ad",
    "organ": "Heart",
    "patient": "heart-CN73",
    "format": float("nan"),
    "technology": None,
}


@pytest.fixture(scope="module")
def make(panel):
    """`ingest` with the default settings, any of which a test may change."""

    def call(path=HEART, qc=helpers.QC, harmonise=helpers.HARMONISE, **row):
        return ingest(path, ROW | row, panel, qc, harmonise)

    return call


def test_spots_keep_the_order_of_the_source(make):
    """Ties among neighbours are settled by it."""
    source = helpers.demo_section("heart-1")
    adata = make(qc=helpers.QC | {"min_counts": 2000})
    assert adata.n_obs < source.n_obs
    rows = source.obs_names.get_indexer(adata.obs_names)
    assert (np.diff(rows) > 0).all()


def test_a_harmonised_sample(make, panel):
    adata = make()
    assert isinstance(adata.X, sp.csr_matrix) and adata.X.dtype == np.int32
    assert adata.X.has_canonical_format and (adata.X.data > 0).all()
    assert list(adata.var_names) == panel
    assert list(adata.obs) == [
        "in_tissue",
        "array_row",
        "array_col",
        "n_counts",
        "n_genes",
        "mito_share",
    ]
    source = helpers.demo_section("heart-1")
    np.testing.assert_array_equal(adata.obs["n_counts"], np.asarray(source.X.sum(axis=1)).ravel())
    assert adata.obsm["spatial"].dtype == np.float64
    assert set(adata.uns) == {"provenance", "spot_checksums"}
    assert adata.uns["provenance"] == {
        "cohort": "atlas",
        "sample": "heart-1",
        "source_path": "resources/demo/st/heart-1.h5ad",
        "source_sha256": io.sha256(HEART),
        "reader": "h5ad",
        "spots_source": source.n_obs,
        "spots_kept": source.n_obs,
        "duplicate_positions": 0,
        "genes_source": source.n_vars,
        "genes_panel": len(set(panel) & set(source.var_names)),
        "genes_missing": len(set(panel) - set(source.var_names)),
        "genes_renamed": 0,
        "genes_duplicated": 0,
        "duplicates_rule": "first",
        "notes": "",
    }


def test_a_sample_is_written_and_read_unchanged(make, tmp_path):
    adata = make(qc=helpers.QC | {"min_counts": 2000})
    h5ad.write_h5ad(adata, tmp_path / "heart-1.h5ad")
    read = h5ad.read_h5ad(tmp_path / "heart-1.h5ad")
    assert (read.X != adata.X).nnz == 0 and read.X.dtype == np.int32
    pd.testing.assert_frame_equal(read.obs, adata.obs)
    assert read.uns["provenance"] == adata.uns["provenance"]
    pd.testing.assert_frame_equal(read.uns["removed_spots"], adata.uns["removed_spots"])


def test_what_describes_a_sample_is_not_in_it(make):
    plain = make()
    other = make(organ="heart", patient="P2", dataset="d", disease_state="Healthy", technology="x")
    assert other.uns["provenance"] == plain.uns["provenance"]
    pd.testing.assert_frame_equal(other.obs, plain.obs)
    assert set(sheets.READ_BY) >= set(ROW) - {"organ", "patient", "technology"}


def test_qc_and_genes_before_and_after(make):
    depth = np.asarray(helpers.demo_section("heart-1").X.sum(axis=1)).ravel()
    facts = make(qc=helpers.QC | {"min_counts": 2000}).uns["provenance"]
    assert facts["spots_kept"] == (depth >= 2000).sum() < facts["spots_source"] == len(depth)


def test_aliases_are_a_path_in_the_config(make, tmp_path, panel):
    source = helpers.demo_section("heart-1")
    old = next(name for name in source.var_names if name not in panel)
    new = next(symbol for symbol in panel if symbol not in source.var_names)
    (tmp_path / "aliases.tsv").write_text(f"alias\tsymbol\n{old}\t{new}\n")
    adata = make(harmonise=helpers.HARMONISE | {"aliases": str(tmp_path / "aliases.tsv")})
    assert adata.uns["provenance"]["genes_renamed"] == 1
    assert adata[:, new].X.sum() == source[:, old].X.sum()


def test_the_checksum_of_several_files_covers_each(make, tmp_path):
    outs = helpers.write_spaceranger(
        helpers.demo_section("heart-1"), tmp_path / "outs", header=True
    )
    facts = make(path=outs).uns["provenance"]
    matrix, positions = (
        outs / "filtered_feature_bc_matrix.h5",
        outs / "spatial/tissue_positions.csv",
    )
    text = f"{io.sha256(matrix)}  counts\n{io.sha256(positions)}  positions\n"
    assert facts["reader"] == "spaceranger"
    assert facts["source_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    positions.write_text(positions.read_text() + "LATER,0,1,1,1,1\n")
    assert make(path=outs).uns["provenance"]["source_sha256"] != facts["source_sha256"]


def test_removed_spots_are_named_with_their_positions(make):
    source = helpers.demo_section("heart-1")
    adata = make(qc=helpers.QC | {"min_counts": 2000})
    removed = adata.uns["removed_spots"]
    assert [*adata.obs_names, *removed.index] != [*source.obs_names]
    assert {*adata.obs_names, *removed.index} == {*source.obs_names}
    assert list(removed) == ["array_row", "array_col"]
    pd.testing.assert_frame_equal(
        removed, source.obs.loc[removed.index, list(removed)], check_dtype=False
    )


REFUSED = {
    "a bad file": ({"path": HEART.parent / "gone.h5ad"}, ["gone.h5ad", "no such file"]),
    "too few spots": ({"qc": helpers.QC | {"min_spots": 92}}, ["91 of 91 spots", "min_spots = 92"]),
    "overlap": ({"harmonise": helpers.HARMONISE | {"min_overlap": 0.99}}, ["13817", "14558"]),
    "spots": ({"expected_spots": 92}, ["heart-1.h5ad", "has 91 spots", "expected_spots is 92"]),
    "genes": ({"expected_genes": "7.0"}, ["has 20658 genes", "expected_genes is 7", "sheet"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_cohort_and_sample(case, make):
    changes, words = REFUSED[case]
    with pytest.raises(InputError) as caught:
        make(**changes)
    sentence = str(caught.value)
    assert sentence.startswith("cohort atlas, sample heart-1: ") and sentence.endswith(".")
    assert [word for word in words if word not in sentence] == []


def test_expected_numbers_are_those_of_the_source(make):
    qc = helpers.QC | {"min_counts": 2000}
    facts = make(qc=qc, expected_spots=91.0, expected_genes=20658).uns["provenance"]
    assert facts["spots_kept"] < 91
