"""Public functions on any AnnData: same results as the workflow, in place, by section."""

import doctest
import shutil
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

import sagefm
from sagefm.cohorts.arrangement import array_pitch
from sagefm.common.errors import InputError
from sagefm.exports.section import embed_section
from sagefm.networks.device import one_thread
from sagefm.networks.perturbed import General
from sagefm.sections.dense import make_batch
from sagefm.sections.section import Section
from support import helpers, model_folders

RECIPES = {
    "paper": {"network": "gcn", "normalisation": "log1p", "graph": {"kind": "knn_clique"}},
    "rings": {"network": "gcn", "normalisation": "log1p", "graph": {"kind": "grid"}},
    "contrast": {"network": "contrast", "normalisation": "log1p", "graph": {"kind": "star"}},
}
TECHNOLOGY = "Spatial Transcriptomics"


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    return model_folders.write_models(folder, model_folders.small_panel(), RECIPES)


@pytest.fixture(params=RECIPES)
def model(request, models):
    return sagefm.load(models / request.param, device="cpu")


@pytest.fixture
def paper(models):
    return sagefm.load(models / "paper", device="cpu")


@pytest.fixture(autouse=True)
def alone():
    """How a matrix product rounds depends on the number of threads."""
    with one_thread():
        yield


def raw(sample: str = "heart-1", spots: int | None = None) -> anndata.AnnData:
    """A bundled section as its authors gave it."""
    return helpers.demo_section(sample)[:spots].copy()


def two_sections() -> anndata.AnnData:
    """Spots of two sections in turn, whose arrays lie on one another."""
    parts = {name: raw(name, 40) for name in ("heart-1", "heart-2")}
    joined = anndata.concat(parts, label="slide", index_unique="-", join="outer", fill_value=0)
    return joined[np.argsort([*range(40), *range(40)], kind="stable")].copy()


def test_the_embedding_of_a_section_is_the_commands_to_the_bit(tmp_path, models, model):
    source = helpers.REPO / "resources/demo/st/heart-1.h5ad"
    adata = sagefm.read(source, model, technology=TECHNOLOGY)
    assert sagefm.embed(adata, model) is adata
    written = embed_section(
        source, tmp_path / "o.h5ad", model.checkpoint.parent, model.device,
        technology=TECHNOLOGY, predict=True,
    )  # fmt: skip
    np.testing.assert_array_equal(adata.obsm["X_sagefm"], written.obsm["X_sagefm"])
    assert adata.obsm["X_sagefm"].dtype == np.float32
    assert adata.obsm["X_sagefm"].std() > 0
    sagefm.predict(adata, model)
    expected = anndata.read_h5ad(tmp_path / "o.h5ad").layers["predicted"]
    np.testing.assert_allclose(adata.layers["predicted"], expected, rtol=1e-5, atol=1e-6)


def test_two_sections_are_embedded_as_each_alone(model):
    adata = two_sections()
    sagefm.embed(adata, model, library_key="slide", technology=TECHNOLOGY)
    for name in ("heart-1", "heart-2"):
        own = adata[adata.obs["slide"] == name].copy()
        together = own.obsm.pop("X_sagefm")
        sagefm.embed(own, model, technology=TECHNOLOGY)
        np.testing.assert_array_equal(together, own.obsm["X_sagefm"])


def test_counts_of_a_layer_dense_or_sparse_and_genes_in_any_order(paper):
    adata = raw(spots=30)
    expected = sagefm.embed(adata.copy(), paper).obsm["X_sagefm"]
    other = adata[:, ::-1].copy()
    other.layers["counts"] = np.asarray(sp.csr_matrix(other.X).todense(), dtype=np.float64)
    other.X = other.layers["counts"] / 3
    found = sagefm.embed(other, paper, layer="counts")
    np.testing.assert_array_equal(found.obsm["X_sagefm"], expected)
    assert found.shape == adata.shape and set(found.obsm) == {"spatial", "X_sagefm"}


def test_predictions_are_in_the_columns_of_their_genes(paper):
    adata = raw(spots=30)
    sagefm.predict(adata, paper)
    on_panel = adata.var_names.isin(paper.genes)
    layer = adata.layers["predicted"]
    assert layer.shape == adata.shape and 0 < on_panel.sum() < adata.n_vars
    assert np.isnan(layer[:, ~on_panel]).all() and np.isfinite(layer[:, on_panel]).all()
    turned = sagefm.predict(adata[:, ::-1].copy(), paper)
    np.testing.assert_array_equal(turned.layers["predicted"][:, ::-1], layer)


def test_a_perturbation_is_that_of_the_whole_network(models, paper, monkeypatch):
    """The fast path against all of the network, computed anew for each level."""
    adata, outputs = raw(spots=30), paper.genes[5:65]
    table = sagefm.perturb(adata, paper, paper.genes[3], outputs=outputs, levels=4)
    assert list(table.columns) == ["input", "output", "level", "predicted", "n_spots"]
    assert list(table["output"].unique()) == list(outputs) and len(table) == 240
    assert table["level"].nunique() == 4

    def whole(model, section: Section, rows, hidden):
        mask = np.zeros((len(rows), len(model.genes)), dtype=bool)
        mask[:, hidden] = True
        batch = make_batch([(model.chunk([section]), rows)], "subgraphs", mask)
        yield General(model.network, "subgraphs", batch.inputs, (), torch.empty(0))

    monkeypatch.setattr("sagefm.exports.perturbed.neighbourhoods", whole)
    slow = sagefm.perturb(adata, paper, paper.genes[3], outputs=outputs, levels=4)
    np.testing.assert_allclose(table["predicted"], slow["predicted"], rtol=1e-4, atol=1e-6)
    assert table.groupby("output")["predicted"].std().max() > 0


def test_a_perturbation_names_its_sections_and_takes_levels(model):
    genes = model.genes[3], model.genes[5:7]
    keys = {"levels": [0.0, 2.0], "technology": TECHNOLOGY}
    adata = two_sections()
    table = sagefm.perturb(adata, model, genes[0], outputs=genes[1], library_key="slide", **keys)
    assert table.groupby("section")["level"].apply(list).to_dict() == {
        "heart-1": [0, 2, 0, 2],
        "heart-2": [0, 2, 0, 2],
    }
    for name, own in table.groupby("section"):
        alone = adata[adata.obs["slide"] == name].copy()
        found = sagefm.perturb(alone, model, genes[0], outputs=genes[1], **keys)
        np.testing.assert_array_equal(found["predicted"], own["predicted"])
        assert (own["n_spots"] == 40).all()


def test_programmes_are_those_of_the_decoder(models, paper):
    contrast = sagefm.load(models / "contrast", device="cpu")
    table = sagefm.programmes(contrast)
    assert list(table.index) == list(contrast.genes)
    np.testing.assert_array_equal(table, contrast.network.fc_gene.weight.detach())
    with pytest.raises(InputError, match="network `gcn` has no programmes"):
        sagefm.programmes(paper)


# What cannot be used


def several(adata):
    adata.uns["spatial"] = {"A": {}, "B": {}}


def halved(adata):
    adata.X = adata.X.astype(np.float32) / 2


def without_place(adata):
    adata.obsm["spatial"][3] = np.nan


def stacked(adata):
    adata.obsm["spatial"][:20] = adata.obsm["spatial"][20]


def scattered(adata):
    adata.obs[["array_row", "array_col"]] *= 5
    adata.obsm["spatial"] *= 5


def unplaced(adata):
    del adata.obsm["spatial"]


def mouse(adata):
    adata.var_names = adata.var_names.str.capitalize()


def partly_named(adata):
    adata.obs["slide"] = ["a", None] * 15


def sparse(adata):
    adata.obsm["spatial"] = sp.csr_matrix(adata.obsm["spatial"])


def named_columns(adata):
    place = pd.DataFrame(adata.obsm["spatial"][:, ::-1], adata.obs_names, ["y", "x"])
    adata.obsm["spatial"] = place


def symbols_beside(adata):
    adata.var["Symbol"] = [*adata.var_names]
    adata.var_names = helpers.gene_ids(adata)


def spaced(adata):
    adata.var_names = adata.var_names + " "


@pytest.mark.parametrize("change", [sparse, named_columns, symbols_beside, spaced])
def test_coordinates_and_symbols_wherever_a_section_has_them(paper, change):
    adata = raw(spots=30)
    expected = sagefm.predict(sagefm.embed(adata.copy(), paper), paper)
    change(adata)
    found = sagefm.predict(sagefm.embed(adata, paper), paper)
    np.testing.assert_array_equal(found.obsm["X_sagefm"], expected.obsm["X_sagefm"])
    np.testing.assert_array_equal(found.layers["predicted"], expected.layers["predicted"])


def test_proteins_are_no_counts_of_genes(paper):
    """One of them has a gene's name."""
    adata = raw(spots=30)
    adata.var["feature_types"] = "Gene Expression"
    names, kind = [adata.var_names[0], "CD3"], {"feature_types": "Antibody Capture"}
    proteins = anndata.AnnData(sp.csr_matrix(np.full((30, 2), 900)), adata.obs[[]])
    proteins.var = pd.DataFrame(kind, index=names)
    both = anndata.concat([proteins, adata], axis=1)
    both.obs, both.obsm["spatial"] = adata.obs, adata.obsm["spatial"]
    found = sagefm.embed(both, paper).obsm["X_sagefm"]
    np.testing.assert_array_equal(found, sagefm.embed(adata, paper).obsm["X_sagefm"])


@pytest.mark.parametrize("told", ["by a column", "by names"])
def test_sections_apart_that_nobody_tells_apart_are_refused(paper, told):
    parts = {name: raw(name, 60) for name in ("heart-1", "heart-2")}
    adata = anndata.concat(parts, label="slide", index_unique="-", join="outer", fill_value=0)
    second = np.asarray(adata.obs["slide"] == "heart-2")
    adata.obsm["spatial"][second] += 1e5
    adata.obs = adata.obs[[]]
    if told == "by a column":
        adata.obs_names = [f"spot {number}" for number in range(adata.n_obs)]
        adata.obs["patient"] = np.where(second, "b", "a")
    with pytest.raises(InputError, match=r"the AnnData holds 2 sections.* Fix: .*`library_key`"):
        sagefm.embed(adata, paper)


BAD = {
    "several": (several, {}, r"2 sections \(uns\['spatial'\]: A, B\).*Fix: .*`library_key`"),
    "stacked": (stacked, {}, "21 of 30 spots share their position.*`library_key`"),
    "scattered": (
        scattered,
        {},
        "30 of 30 spots have no neighbour on the array.*Fix: give",
    ),
    "no counts": (halved, {}, "^X holds values that are not integers. Fix: give the raw counts"),
    "no layer": (mouse, {"layer": "counts"}, r"there is no layers\['counts'\]. Fix: correct"),
    "no column": (mouse, {"library_key": "slides"}, "obs has no column `slides`. Fix: correct"),
    "no section": (partly_named, {"library_key": "slide"}, "missing for 15 of 30 spots. Fix:"),
    "no place": (without_place, {}, "NaN or missing coordinates in 1 spot"),
    "no places": (unplaced, {}, r"obsm\['spatial'\] is missing. Fix: put x and y"),
    "mouse": (mouse, {}, "look like mouse symbols"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_ends_in_one_sentence_and_changes_nothing(paper, case):
    spoil, options, words = BAD[case]
    adata = raw(spots=30)
    spoil(adata)
    with pytest.raises(InputError, match=words) as error:
        sagefm.embed(adata, paper, **options)
    assert "\n" not in str(error.value)
    assert not any(word in str(error.value) for word in ("sheet", "config"))
    assert "X_sagefm" not in adata.obsm


def test_slices_over_each_other_are_refused(paper):
    one, other = raw(), raw()
    other.obsm["spatial"] = other.obsm["spatial"] + 0.26 * array_pitch(one.obsm["spatial"])
    both = anndata.concat([one, other], index_unique="-")
    both.obs = both.obs[[]].copy()
    with pytest.raises(InputError, match=r"slices lie over each other\. Fix: name the column"):
        sagefm.embed(both, paper)


def test_an_error_names_the_section(paper):
    adata = two_sections()
    adata.obsm["spatial"][1::2] = 5.0
    second = adata.obs["slide"].iloc[1]
    with pytest.raises(InputError, match=f"^section {second}: 40 of 40 spots share"):
        sagefm.embed(adata, paper, library_key="slide")


@pytest.mark.parametrize(
    ("gene", "outputs", "levels", "words"),
    [
        ("NOGENE3", ["NOGENE1"], 3, "no gene `NOGENE3`. Fix: did you mean `NOGENE"),
        ("NOGENE1", [], 3, "`outputs` is empty. Fix: name the genes"),
        ("NOGENE1", ["NOGENE2"], 3, "`NOGENE1` has only one level, .*as numbers"),
    ],
)
def test_a_perturbation_that_cannot_be(paper, gene, outputs, levels, words):
    with pytest.raises(InputError, match=words):
        sagefm.perturb(raw(spots=30), paper, gene, outputs=outputs, levels=levels)


def test_a_device_that_is_none(models):
    with pytest.raises(InputError, match=r"no device `tpu`\. Fix: use auto, cpu or cuda"):
        sagefm.load(models / "paper", device="tpu")


def test_a_gpu_that_is_not_there(models, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="finds no GPU here"):
        sagefm.load(models / "paper", device="cuda")


@pytest.mark.parametrize("name", sagefm.__all__)
def test_the_example_of_a_docstring_runs(name, tmp_path, monkeypatch, models):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(models, "models")
    Path("heart-1.h5ad").symlink_to(helpers.REPO / "resources/demo/st/heart-1.h5ad")
    model = sagefm.load("models/paper", device="cpu")
    given = {
        "sagefm": sagefm,
        "model": model,
        "contrast": sagefm.load("models/contrast", device="cpu"),
        "adata": sagefm.read("heart-1.h5ad", model),
    }
    (found,) = doctest.DocTestFinder().find(getattr(sagefm, name), name, globs=given)
    assert found.examples
    written: list[str] = []
    doctest.DocTestRunner().run(found, out=written.append)
    assert not written, "".join(written)
