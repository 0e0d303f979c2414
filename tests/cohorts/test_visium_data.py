"""The bundled Visium sections: their content, read as the demo reads them."""

import anndata
import numpy as np
import pytest
import yaml

from sagefm.cohorts.ingest import ingest
from sagefm.cohorts.readers import read_source
from sagefm.common.io import read_table
from sagefm.graphs.neighbourhoods import build_graph
from support import helpers

TNBC, HIPPOCAMPUS = "tnbc_396A", "hippocampus_V11L05-335_C1"
SPOTS = {TNBC: 554, HIPPOCAMPUS: 1209}
PANEL = {TNBC: 14_558, HIPPOCAMPUS: 8_364}
ROWS = read_table(helpers.REPO / "config/samples/visium.tsv", dtype=str, keep_default_na=False)
ROWS = {row["sample"]: row for row in ROWS.to_dict("records")}


@pytest.fixture(scope="module")
def samples(panel) -> dict[str, anndata.AnnData]:
    """Both sections, harmonised."""
    return {
        name: ingest(
            helpers.REPO / row["path_or_id"], row, panel, helpers.QC, helpers.HARMONISE, 100
        )
        for name, row in ROWS.items()
    }


def test_the_sheet_has_both_and_says_what_they_are():
    assert set(ROWS) == {TNBC, HIPPOCAMPUS}
    assert {row["technology"] for row in ROWS.values()} == {"Visium"}
    assert {name: int(row["expected_spots"]) for name, row in ROWS.items()} == SPOTS


def test_spots_and_genes_of_the_panel(samples):
    for name, sample in samples.items():
        facts = sample.uns["provenance"]
        assert (facts["spots_source"], facts["spots_kept"]) == (SPOTS[name], SPOTS[name])
        assert facts["genes_panel"] == PANEL[name]
        assert sample.obs["mito_share"].notna().all()  # the other bundled ones have no such gene
    assert samples[TNBC].obs["n_counts"].median() == 5875
    assert samples[HIPPOCAMPUS].obs["n_counts"].median() == 1240


def test_a_space_ranger_folder_is_bundled_as_it_came():
    source = read_source(helpers.REPO / ROWS[TNBC]["path_or_id"])
    assert source.uns["reader"] == "spaceranger"
    assert source.X.sum() == 8_147_513
    assert source.obs.loc["AAACGAGACGGTTGAT-1", ["array_row", "array_col"]].tolist() == [35, 79]


def test_genes_that_the_hippocampus_lacks_were_not_measured(samples):
    measured = samples[HIPPOCAMPUS].var["measured"].to_numpy()
    assert measured.sum() == PANEL[HIPPOCAMPUS]
    assert samples[HIPPOCAMPUS].X[:, ~measured].nnz == 0
    assert samples[TNBC].var["measured"].all()


def test_spots_lie_on_a_hexagonal_array(samples):
    for sample in samples.values():
        array = sample.obs[["array_row", "array_col"]].to_numpy()
        graph = build_graph(sample.obsm["spatial"], "grid", array=array, technology="Visium")
        neighbours = np.diff(graph.indptr) - 1
        assert neighbours.max() == 6 and np.median(neighbours) == 6
        away = sample.obsm["spatial"][graph.ego] - np.repeat(
            sample.obsm["spatial"], neighbours + 1, axis=0
        )
        distance = np.linalg.norm(away, axis=1)
        assert np.ptp(distance[distance > 0]) < 0.03 * distance.max()  # one pitch apart, all six


def test_a_cohort_that_nothing_is_trained_on():
    config = yaml.safe_load((helpers.REPO / "config/config.yaml").read_text())
    assert [m for m, entry in config["models"].items() if "visium" in entry["pretrain_on"]] == []
    assert "visium" in config["recovery"]["cohorts"][1:]  # the claim is judged on the first
    assert "visium" in config["representations"]["cohorts"]
