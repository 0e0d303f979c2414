"""Sections with few genes, from ingestion on: missing genes are predicted and flagged."""

import logging
import runpy
import shutil
import tracemalloc
from types import SimpleNamespace

import anndata
import h5py
import numpy as np
import pytest
import scipy.sparse as sp
import torch

from sagefm.cohorts.ingest import ingest
from sagefm.common.errors import InputError
from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.graphs.neighbourhoods import build_graph, load_graph, save_graph
from sagefm.imputation.complete import complete_section
from sagefm.networks.base import build_network
from sagefm.sections.section import Section
from support import helpers, small
from support.models import fitted, save_model

MEASURED = 300
ROW = {"cohort": "mine", "sample": "heart-1", "path_or_id": "targeted.h5ad", "organ": "Heart"}
NORMALISATIONS = ("log1p", "log1p_cp10k")


@pytest.fixture(scope="module")
def source(panel, tmp_path_factory):
    """A bundled section cut down to 300 genes of the panel."""
    section = helpers.demo_section("heart-1")
    known = np.flatnonzero(section.var_names.isin(panel))
    chosen = np.random.default_rng(0).choice(known, MEASURED, replace=False)
    path = tmp_path_factory.mktemp("source") / "targeted.h5ad"
    section[:, np.sort(chosen)].copy().write_h5ad(path)
    return path


@pytest.fixture(scope="module")
def targeted(source, panel, tmp_path_factory) -> Section:
    """The same, through ingestion and with its graph."""
    folder = tmp_path_factory.mktemp("targeted")
    adata = ingest(source, ROW, panel, helpers.QC, helpers.HARMONISE | {"min_overlap": 0.01})
    write_h5ad(adata, folder / "heart-1.h5ad")
    save_graph(build_graph(adata.obsm["spatial"], "knn_clique"), folder / "heart-1.npz")
    return Section("mine", "heart-1", folder / "heart-1.h5ad", folder / "heart-1.npz")


@pytest.fixture(scope="module")
def network(panel):
    network = build_network("gcn", len(panel), small.WIDTHS, seed=0)
    torch.nn.init.normal_(network.fc_gene.weight, std=2, generator=torch.manual_seed(0))
    return network.eval()


def test_a_targeted_section_is_refused_with_the_remedy(source, panel):
    words = r"sample heart-1: only 300 of the panel's 14558 genes.*lower `min_overlap`"
    with pytest.raises(InputError, match=words):
        ingest(source, ROW, panel, helpers.QC, helpers.HARMONISE)


def test_a_targeted_section_is_let_in(targeted):
    adata = read_h5ad(targeted.counts_path)
    assert adata.var["in_source"].sum() == MEASURED
    assert adata.uns["provenance"]["genes_panel"] == MEASURED


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_what_is_missing_is_predicted_from_what_is_there(
    targeted, network, normalisation, tmp_path
):
    path = tmp_path / "imputed/heart-1.h5ad"
    imputing = fitted(network, normalisation=normalisation)
    assert complete_section(imputing, targeted, "paper", path, batch_size=50) == 14558 - MEASURED
    found, given = anndata.read_h5ad(path), read_h5ad(targeted.counts_path)
    assert (found.X != given.X).nnz == 0 and found.X.dtype == np.int32
    assert list(found.obs_names) == list(given.obs_names)
    np.testing.assert_array_equal(found.obsm["spatial"], given.obsm["spatial"])
    predicted = found.var["predicted"].to_numpy()
    np.testing.assert_array_equal(predicted, ~given.var["in_source"])

    counts = given.X.toarray().astype(float)
    if normalisation == "log1p_cp10k":
        counts *= 1e4 / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    own = np.log1p(counts)
    graph = load_graph(targeted.graph_path)
    mean = np.stack([own[spots].mean(axis=0) for spots in np.split(graph.ego, graph.indptr[1:-1])])
    with torch.inference_mode():
        model = network.decode(network.embed_mean(torch.from_numpy(mean.astype(np.float32))))
    layer = found.layers["expression"]
    assert layer.dtype == np.float32
    np.testing.assert_allclose(layer[:, ~predicted], own[:, ~predicted], rtol=1e-5)
    np.testing.assert_allclose(layer[:, predicted], model.numpy()[:, predicted], atol=1e-4)
    assert (layer[:, predicted] > 0).any()

    facts = found.uns["imputation"]
    assert (facts["model"], facts["normalisation"]) == ("paper", normalisation)
    assert facts["genes_predicted"] == predicted.sum() and "predicted" in facts["note"]
    assert found.uns["provenance"]["sample"] == "heart-1"


def test_the_layer_is_compressed_a_batch_at_a_time(targeted, network, tmp_path):
    path = tmp_path / "heart-1.h5ad"
    complete_section(fitted(network), targeted, "paper", path, batch_size=8)  # warm
    n_spots, n_genes = read_h5ad(targeted.counts_path).shape
    tracemalloc.start()
    complete_section(fitted(network), targeted, "paper", path, batch_size=8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * n_spots * n_genes
    with h5py.File(path) as file:
        layer = file["layers/expression"]
        assert layer.compression == "gzip" and layer.chunks == (8, 1024)
        assert layer.id.get_storage_size() < 4 * n_spots * n_genes


def test_a_section_that_lacks_nothing_is_as_measured(tmp_path):
    (section,) = small.write_sections(tmp_path, ["heart-1"])
    adata = read_h5ad(section.counts_path)
    adata.var["in_source"] = True
    write_h5ad(adata, section.counts_path)
    network = build_network("gcn", adata.n_vars, small.WIDTHS, seed=0)
    path = tmp_path / "whole.h5ad"
    assert complete_section(fitted(network), section, "paper", path) == 0
    found = read_h5ad(path)
    assert not found.var["predicted"].any()
    np.testing.assert_allclose(found.layers["expression"], np.log1p(adata.X.toarray()), rtol=1e-6)


def test_a_contrast_network_is_refused(targeted, tmp_path):
    network, path = build_network("contrast", 14558, (8,)), tmp_path / "heart-1.h5ad"
    model = fitted(network, "contrast", normalisation="log1p_cp10k")
    words = r"model ours: a `contrast` network cannot predict .* Fix: .* gcn, two_channel"
    with pytest.raises(InputError, match=words):
        complete_section(model, targeted, "ours", path)
    assert not path.exists()


def test_a_run_that_fails_leaves_nothing(targeted, network, tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("the machine gives up")

    monkeypatch.setattr("sagefm.networks.fitted.predict", broken)
    path = tmp_path / "heart-1.h5ad"
    with pytest.raises(RuntimeError, match="gives up"):
        complete_section(fitted(network), targeted, "paper", path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("complete", [False, True])
def test_the_script_says_what_was_predicted(targeted, network, complete, tmp_path, repo, caplog):
    folder = tmp_path / "mine"
    sample = folder / "heart-1.h5ad"
    adata = read_h5ad(targeted.counts_path)
    adata.var["measured"] |= complete
    adata.X = sp.csr_matrix(adata.X)
    write_h5ad(adata, sample)
    save_model(tmp_path, fitted(network))
    graphs = tmp_path / "graphs/mine"
    graphs.mkdir(parents=True)
    shutil.copy(targeted.graph_path, graphs / "heart-1.npz")
    job = SimpleNamespace(
        input=SimpleNamespace(checkpoint=tmp_path / "best.pt", sample=sample, graphs=[graphs]),
        output=SimpleNamespace(imputed=tmp_path / "imputed/mine/heart-1.h5ad"),
        resources=SimpleNamespace(device="cpu"),
        threads=1,
        wildcards=SimpleNamespace(model="paper", cohort="mine", sample="heart-1"),
        rule="impute_sample",
        log=[tmp_path / "log"],
    )
    with caplog.at_level(logging.INFO):
        path = repo / "workflow/scripts/imputation/complete.py"
        runpy.run_path(str(path), init_globals={"snakemake": job})
    words = "so none is predicted" if complete else "14258 of 14558 genes predicted"
    assert words in (tmp_path / "log").read_text()
    assert read_h5ad(job.output.imputed).var["predicted"].sum() == (0 if complete else 14258)
