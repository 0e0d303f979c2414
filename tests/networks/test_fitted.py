"""A trained model as one object: from a run's folder, a released checkpoint, or any other."""

import numpy as np
import pytest
import torch

from sagefm.common.errors import InputError
from sagefm.networks.base import build_network, embed, predict
from sagefm.networks.checkpoint import read_checkpoint, save_checkpoint
from sagefm.networks.fitted import FittedModel
from sagefm.networks.recipe import ModelRecipe
from sagefm.sections.dense import make_batch
from sagefm.sections.section import load_chunk
from support import small
from support.models import fitted, save_model

GENES = 60
PANEL = [f"g{i}" for i in range(GENES)]


@pytest.fixture
def model() -> FittedModel:
    return fitted(build_network("gcn", GENES, (8, 4), seed=1), kind="grid")


@pytest.fixture
def section(tmp_path):
    return small.write_sections(tmp_path / "sections", ["heart-1"], 30, GENES)[0]


def same_weights(one: FittedModel, other: FittedModel) -> bool:
    state, again = one.network.state_dict(), other.network.state_dict()
    return list(state) == list(again) and all(torch.equal(state[k], again[k]) for k in state)


@pytest.mark.parametrize("named", ["folder", "checkpoint"])
def test_a_runs_model_is_whole_again(model, tmp_path, named):
    checkpoint = save_model(tmp_path / "paper", model)
    found = FittedModel.load(tmp_path / "paper" if named == "folder" else checkpoint)
    assert same_weights(found, model)
    assert found.recipe == model.recipe and found.checkpoint == checkpoint
    assert (found.genes, found.normalisation, found.layout) == (PANEL, "log1p", "subgraphs")
    assert not found.network.training and found.collapsible is None
    assert found.facts.title == "a graph convolutional network"


def test_a_checkpoint_without_recipe_needs_it(model, tmp_path):
    path = save_model(tmp_path, model)
    (tmp_path / "recipe.json").unlink()
    with pytest.raises(InputError, match=r"recipe\.json.*is missing.*or give a `recipe`"):
        FittedModel.load(path)
    recipe = ModelRecipe(PANEL, graph={"kind": "star", "size": 9})
    found = FittedModel.load(path, recipe=recipe)
    assert same_weights(found, model) and found.recipe == recipe


def test_the_authors_checkpoint_is_a_gcn_on_cliques(model, tmp_path):
    save_checkpoint(tmp_path / "release.pt", model.network, epoch=126)
    found = FittedModel.load(tmp_path / "release.pt", recipe=ModelRecipe(PANEL))
    assert same_weights(found, model)
    assert found.layout == "mean" and found.collapsible is found.network
    with pytest.raises(InputError, match="predicts 60 genes, but the panel has 14558"):
        FittedModel.load(tmp_path / "release.pt")  # the paper's panel if none is given


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module."])
def test_a_wrapped_networks_checkpoint_is_read(model, tmp_path, prefix):
    path = save_model(tmp_path, model)
    stored = read_checkpoint(path)
    state = {f"{prefix}{name}": own.clone() for name, own in stored["model_state_dict"].items()}
    torch.save(stored | {"model_state_dict": state}, path)
    assert same_weights(FittedModel.load(path), model)


def test_a_checkpoint_of_lightning_is_read(model, tmp_path):
    path = save_model(tmp_path, model)
    state = {f"model.{name}": own for name, own in model.network.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3, "pytorch-lightning_version": "2.5"}, path)
    assert same_weights(FittedModel.load(path), model)


@pytest.mark.parametrize(("kind", "name"), [("knn_clique", "gcn"), ("grid", "two_channel")])
def test_embeddings_and_predictions_are_the_networks(section, kind, name):
    model = fitted(build_network(name, GENES, (8, 4), seed=1), name, kind)
    torch.nn.init.constant_(model.network.fc_gene.bias, 0.3)
    chunk, rows = load_chunk([section], "log1p"), np.arange(30)
    nothing = np.zeros((30, GENES), dtype=bool)
    with torch.inference_mode():
        batch = make_batch([(chunk, rows)], model.layout, nothing)
        embedding, predicted = embed(model.network, batch), predict(model.network, batch)
    own = model.batch(model.chunk([section]), rows, nothing)
    assert torch.equal(model.embed(own), embedding) and torch.equal(model.predict(own), predicted)
    assert not model.embed(own).requires_grad
    found = np.concatenate([*model.embedded_rows(section)])
    np.testing.assert_allclose(found, embedding, rtol=1e-5, atol=1e-6)
    missing = np.arange(GENES) % 3 == 0
    completed = np.concatenate([*model.completed_rows(section, missing, batch_size=7)])
    np.testing.assert_allclose(completed[:, missing], predicted[:, missing], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(completed[:, ~missing], batch.target[:, ~missing])


def test_withheld_genes_change_the_embedding_as_if_they_were_not_measured(model, section):
    whole = np.concatenate([*model.embedded_rows(section)])
    without = np.concatenate([*model.embedded_rows(section, withheld=[0, 1, 2])])
    chunk = model.chunk([section], withheld=[0, 1, 2])
    assert chunk.expression[:, :3].nnz == 0
    assert np.abs(whole - without).max() > 1e-4


def test_a_section_on_other_genes_is_refused(model, tmp_path):
    (other,) = small.write_sections(tmp_path, ["heart-1"], 30, GENES + 1)
    words = r"heart-1\.h5ad: has 61 genes, but the model reads 60. Fix: harmonise"
    for read in (lambda: model.chunk([other]), lambda: next(model.embedded_rows(other))):
        with pytest.raises(InputError, match=words):
            read()


def test_the_readout_serves_with_and_without_gradients(section):
    """First asked for under inference mode, and used outside of it."""
    model = fitted(build_network("gcn", GENES, (8, 4), seed=1))
    with torch.inference_mode():
        first = model.readout
    hidden = model.network.first(torch.rand(3, GENES))
    expected = model.network.decode(model.network.finish(hidden))
    torch.testing.assert_close(model.readout(hidden.clone()), expected, rtol=1e-4, atol=1e-6)
    assert model.readout is first
