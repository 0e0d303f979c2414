"""Quality control: which spots are kept, which sections are refused, and the cohort's table."""

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sagefm.cohorts.figures import depth_difference
from sagefm.cohorts.ingest import ingest
from sagefm.cohorts.qc import apply_qc, count_shared_positions, qc_table, spot_measures
from sagefm.cohorts.readers import read_source
from sagefm.common import h5ad, io
from sagefm.common.errors import InputError
from support import helpers


def section(counts, names=("ACTB", "GAPDH", "MT-CO1"), **obs) -> anndata.AnnData:
    """Spots in a row, one pixel apart."""
    counts = sp.csr_matrix(np.array(counts, dtype=np.int32))
    index = [f"spot{i}" for i in range(counts.shape[0])]
    return anndata.AnnData(
        X=counts,
        obs=pd.DataFrame(obs, index=index),
        var=pd.DataFrame(index=list(names)),
        obsm={"spatial": np.stack([np.arange(len(index)), np.zeros(len(index))], axis=1)},
    )


SPOTS = [[5, 5, 0], [5, 0, 5], [1, 0, 0], [0, 0, 0], [9, 9, 2]]


def test_measures_are_over_all_genes_of_the_source():
    measures = spot_measures(section(SPOTS))
    assert list(measures["n_counts"]) == [10, 10, 1, 0, 20]
    assert list(measures["n_genes"]) == [2, 2, 1, 0, 3]
    np.testing.assert_allclose(measures["mito_share"], [0, 0.5, 0, np.nan, 0.1], rtol=1e-6)


def test_measures_agree_with_scanpy():
    scanpy = pytest.importorskip("scanpy")
    adata = read_source(helpers.REPO / "resources/demo/st/heart-1.h5ad")
    names = list(adata.var_names)
    names[:3] = ["MT-CO1", "MT-ND1", "MT-ATP6"]
    adata.var_names = names
    adata.var["mito"] = adata.var_names.str.startswith("MT-")
    theirs, _ = scanpy.pp.calculate_qc_metrics(adata, qc_vars=["mito"], percent_top=None)
    ours = spot_measures(adata)
    np.testing.assert_array_equal(ours["n_counts"], theirs["total_counts"])
    np.testing.assert_array_equal(ours["n_genes"], theirs["n_genes_by_counts"])
    np.testing.assert_allclose(ours["mito_share"], theirs["pct_counts_mito"] / 100, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, [0, 1, 2, 4]),
        ({"min_counts": 0, "min_genes": 0}, [0, 1, 2, 3, 4]),
        ({"min_counts": 10}, [0, 1, 4]),
        ({"min_genes": 3}, [4]),
        ({"max_mito_share": 0.1}, [0, 2, 4]),
        ({"max_mito_share": 0.05, "min_counts": 0, "min_genes": 0}, [0, 2, 3]),
    ],
)
def test_thresholds(settings, kept):
    result = apply_qc(section(SPOTS), **settings, min_spots=1)
    assert list(result.obs_names) == [f"spot{i}" for i in kept]


def test_only_spots_in_tissue():
    adata = section(SPOTS, in_tissue=[1, 0, 1, 1, 1])
    assert list(apply_qc(adata, min_spots=1).obs_names) == ["spot0", "spot2", "spot4"]
    kept = apply_qc(adata, in_tissue=False, min_spots=1)
    assert list(kept.obs_names) == ["spot0", "spot1", "spot2", "spot4"]
    assert "n_counts" not in adata.obs


def test_without_mitochondrial_genes_their_share_is_unknown_and_passes():
    result = apply_qc(section(SPOTS, names=("A", "B", "C")), max_mito_share=0.0, min_spots=4)
    assert result.obs["mito_share"].isna().all() and result.n_obs == 4


def same_position(shared):
    adata = section([[1, 0, 0]] * 8)
    adata.obsm["spatial"][:shared] = 0.0
    return adata


def test_a_few_shared_positions_are_counted():
    adata = same_position(4)
    assert count_shared_positions(adata.obsm["spatial"]) == 4
    assert apply_qc(adata, min_spots=1).n_obs == 8
    assert count_shared_positions(section(SPOTS).obsm["spatial"]) == 0


def lost_position():
    adata = section(SPOTS, in_tissue=[0, 1, 1, 1, 1])
    adata.obsm["spatial"][0] = np.nan
    return adata


REFUSED = {
    "too few spots": (
        lambda: section(SPOTS),
        {"min_spots": 15},
        r"4 of 5 spots pass .*min_spots = 15. Fix: lower the limits",
    ),
    "none in tissue": (
        lambda: section(SPOTS, in_tissue=[0] * 5),
        {"min_spots": 1},
        "0 of 5 spots pass .*in tissue: 0.*leave this section out",
    ),
    "shared positions": (
        lambda: same_position(5),
        {"min_spots": 1},
        "5 of 8 spots share their position.*its own x and y",
    ),
    "no position outside the tissue": (
        lost_position,
        {"min_spots": 1, "in_tissue": False},
        "outside the tissue have NaN.*exclude them .`in_tissue`",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    make, settings, words = REFUSED[case]
    with pytest.raises(InputError, match=words):
        apply_qc(make(), **settings)


def test_the_table_of_a_cohort(repo, panel, tmp_path):
    rows = io.read_table(repo / "config/samples/atlas.tsv").to_dict("records")[-2:]
    paths = []
    for row in rows:
        source = repo / row["path_or_id"]
        adata = ingest(source, row | {"cohort": "atlas"}, panel, helpers.QC, helpers.HARMONISE)
        paths.append(tmp_path / f"{row['sample']}.h5ad")
        h5ad.write_h5ad(adata, paths[-1])
    matched = pd.DataFrame({"sample": [rows[0]["sample"]], "labels_matched": [0.5]})
    table = qc_table(paths, rows, matched)
    assert list(table["patient"]) == [row["patient"] for row in rows]
    assert list(table["organ"]) == [row["organ"] for row in rows]
    assert table["labels_matched"].iloc[0] == 0.5 and pd.isna(table["labels_matched"].iloc[1])
    assert list(table["sample"]) == [row["sample"] for row in rows]
    assert list(table["spots_source"]) == [row["expected_spots"] for row in rows]
    assert (table["genes_panel"] + table["genes_missing"] == len(panel)).all()
    assert table["median_mito_share"].isna().all() and (table["median_counts"] > 0).all()
    assert list(table["file_bytes"]) == [path.stat().st_size for path in paths]
    # A hundredth of a dense float32 neighbourhood, 15 spots x 14,558 genes.
    assert (table["bytes_per_spot"] <= 873_000 / 100).all()


def test_the_table_refuses_what_is_no_sample(repo, tmp_path):
    for path in (tmp_path / "gone.h5ad", repo / "resources/demo/st/heart-1.h5ad"):
        with pytest.raises(InputError, match=f"{path.name}: is not a harmonised sample"):
            qc_table([path], [])


@pytest.mark.parametrize(
    ("depths", "words"),
    [
        ([1000, 5900, np.nan], "Depth differs 5.9-fold between sections: "),
        ([1000, 1000], "All sections have 1,000 counts per spot (median)"),
        ([1000], "The section has 1,000 counts per spot (median)"),
        ([0, 20], "Depth differs between sections: median counts per spot 0 to 20"),
        ([np.nan], "The depth of the sections is unknown"),
    ],
)
def test_the_title_says_how_much_depth_differs(depths, words):
    assert depth_difference(pd.DataFrame({"median_counts": depths})).startswith(words)
