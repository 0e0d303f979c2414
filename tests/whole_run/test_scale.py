"""The generator of the scale bench, and its measurement: memory that does not grow."""

from dataclasses import replace

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from bench.cohort_files import (
    chosen_rows,
    first_spots,
    link_cohort,
    write_graphs,
    write_samples,
    write_sources,
)
from bench.generated import generate_section, pixels, visium_array
from bench.measured import measured
from bench.prediction import H100, PARAMETERS, Rates, predicted_hours
from bench.stages import PAPER, stream, train
from sagefm.cohorts.readers import read_source
from sagefm.graphs.grid import grid_adjacency
from sagefm.graphs.neighbourhoods import build_graph, spot_spacing
from sagefm.networks.base import build_network
from support import helpers

BUNDLED = helpers.REPO / "resources/demo/st"


def panel_of(source: anndata.AnnData, genes: int) -> list[str]:
    """A source's most abundant genes, with one that it lacks."""
    totals = np.asarray(source.X.sum(axis=0), dtype=np.float64).ravel()
    return ["LACKING", *source.var_names[np.argsort(-totals, kind="stable")[:genes]]]


@pytest.fixture(scope="module")
def generated() -> tuple[anndata.AnnData, anndata.AnnData, list[str]]:
    """A section, the one that it was resampled from, and the panel."""
    source = helpers.demo_section("heart-1")
    panel = panel_of(source, 5000)
    sizes = {"spots": 700, "genes": 18_085}
    section = generate_section(source, panel, **sizes, counts=10_000, seed=3)
    return section, source, panel


def test_a_section_has_the_size_the_genes_and_the_depth_asked_for(generated):
    section, _, panel = generated
    assert section.shape == (700, 18_085)
    assert section.var_names.is_unique
    assert section.obs_names.is_unique
    assert set(panel) <= set(section.var_names)
    assert section[:, "LACKING"].X.nnz == 0
    assert np.median(np.asarray(section.X.sum(axis=1))) == pytest.approx(10_000, rel=0.3)


def test_more_genes_are_found_in_a_spot_than_at_the_depth_of_the_source(generated):
    section, source, _ = generated
    counts = sp.csr_matrix(source.X)
    here, there = (np.median(np.diff(matrix.indptr)) for matrix in (section.X, counts))
    assert 1.2 * there < here < 0.5 * len(np.unique(counts.indices))


def test_a_section_is_read_as_hest_and_its_array_is_hexagonal(generated, tmp_path):
    section = generated[0]
    section.write_h5ad(tmp_path / "made.h5ad")
    read = read_source(tmp_path / "made.h5ad", "hest")
    array = read.obs[["array_row", "array_col"]].to_numpy()
    adjacency = grid_adjacency(read.obsm["spatial"], array, "Visium")
    assert np.bincount(np.diff(adjacency.indptr)).argmax() == 6
    assert spot_spacing(read.obsm["spatial"]) == pytest.approx(200, abs=1)


def test_equal_seeds_give_equal_sections_and_others_do_not(generated):
    section, source, panel = generated

    def again(seed: int) -> anndata.AnnData:
        sizes = {"spots": 700, "genes": 18_085}
        return generate_section(source, panel, **sizes, counts=10_000, seed=seed)

    assert (again(3).X != section.X).nnz == 0
    assert (again(4).X != section.X).nnz > 0


@pytest.mark.parametrize(("spots", "rows"), [(229, 78), (4992, 78), (4993, 128), (10_878, 128)])
def test_the_smallest_capture_area_that_holds_the_spots_is_taken(spots, rows):
    array = visium_array(spots)
    assert len(np.unique(array, axis=0)) == spots
    assert ((array[:, 0] + array[:, 1]) % 2 == 0).all()
    assert array[:, 0].max() < rows
    if spots == 10_878:
        assert array[:, 0].max() >= 78


def test_no_capture_area_holds_more_than_14336_spots():
    with pytest.raises(ValueError, match="14337"):
        visium_array(14_337)


def test_neighbours_on_the_array_are_100_micrometres_apart():
    place = pixels(np.array([[0, 0], [0, 2], [1, 1]]))
    assert np.linalg.norm(place[1:] - place[0], axis=1) == pytest.approx(200)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """40,000 spots: ten samples made, and links to them; 300 genes."""
    folder = tmp_path_factory.mktemp("cohort")
    source = helpers.demo_section("heart-1")
    panel = panel_of(source, 299)
    sheet = pd.DataFrame({"sample": [f"s{i}" for i in range(80)]})
    sheet["expected_spots"], sheet["expected_genes"] = 480 + np.arange(80) % 40, 1000
    rows = chosen_rows(sheet, 10)
    sources = write_sources(rows, [BUNDLED / "heart-1.h5ad"], panel, 1000, folder / "sources")
    samples = write_samples(sources, panel, folder)
    return link_cohort(sheet, samples, write_graphs(samples, folder), folder)


def test_a_linked_cohort_is_as_large_as_its_sheet(cohort):
    total = sum(section.n_spots() for section in cohort)
    assert len(cohort) == 80
    assert total == pytest.approx(40_000, rel=0.01)
    assert len({section.key for section in cohort}) == 80
    part = first_spots(cohort, 5000)
    assert 5000 <= sum(section.n_spots() for section in part) < 5600


SMALL = {**PAPER, "widths": (16, 8, 8, 8, 16)}
SMALL["training"] = {**PAPER["training"], "buffer_spots": 2000}


@pytest.mark.slow
def test_memory_of_training_does_not_grow_with_the_cohort(cohort):
    few, many = (
        measured(train, sections, SMALL, 200).peak_gb
        for sections in (first_spots(cohort, 5000), cohort)
    )
    # With all spots in one chunk it is 0.08 GB more.
    assert many < few + 0.03


def test_batches_of_an_epoch_are_counted_as_they_are_made(cohort):
    part = first_spots(cohort, 1000)
    assert stream(part, SMALL, 10**6) == sum(section.n_spots() for section in part)
    assert stream(part, SMALL, 3) == 3 * 64


def test_measured_reports_a_new_process(tmp_path):
    ballast = np.ones(50_000_000)  # 0.4 GB here, none of it there
    small, large = (measured(np.ones, size) for size in (1000, 25_000_000))
    assert ballast.sum() > 0
    assert 0.15 < large.peak_gb - small.peak_gb < 0.3
    assert large.result.shape == (25_000_000,)


def test_the_prediction_knows_the_paper_s_network():
    assert sum(p.numel() for p in build_network("gcn", 14_558, seed=0).parameters()) == PARAMETERS


def test_the_prediction_is_spots_over_rates():
    rates = Rates(ingest=100, graphs=1000, training=50, evaluation=200, reading=900, batches=50)
    table = predicted_hours(rates, 360_000, cores=2).set_index("part")["hours"]
    assert list(table) == pytest.approx([0.5, 0.05, 136 * 0.8, 136 * 0.1 / 4])
    # A step's traffic of 1.26 GB at half of 3.35 TB/s; a host may be slower than that.
    assert H100.step_seconds() == pytest.approx(0.75e-3, rel=0.01)
    for cores, limit, rate in ((16, "cores that make", 15 * 50), (32, "one core that reads", 900)):
        bound = predicted_hours(rates, 360_000, cores, H100).iloc[2]
        assert limit in bound["limit"]
        assert bound["hours"] == pytest.approx(136 * 0.8 * 360_000 / rate / 3600)
    fast = replace(rates, reading=1e6, batches=1e6)
    assert predicted_hours(fast, 360_000, 16, H100)["limit"].iloc[2] == "memory of the H100 SXM"


def test_graphs_of_generated_sections_have_whole_neighbourhoods(generated):
    graph = build_graph(generated[0].obsm["spatial"], "knn_clique", size=15)
    assert (np.diff(graph.indptr) == 15).all()
