"""Training that continues another ends with the same weights as training without the stop."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from sagefm.common.io import read_table
from sagefm.networks.base import build_network
from sagefm.networks.checkpoint import read_checkpoint
from sagefm.networks.device import one_thread
from sagefm.networks.registry import describe
from sagefm.sections.batches import Batches
from sagefm.training.files import continue_from, publish
from sagefm.training.trainer import Preempted, Recipe, Trainer
from support import small

RECIPE = Recipe(widths=small.WIDTHS, learning_rate=2e-3, batch_size=16, validation="as_released")


@pytest.fixture(scope="module", autouse=True)
def alone():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return small.write_sections(tmp_path_factory.mktemp("continued"), **small.KNN)


def train(sections, folder, epochs, before=None, stopped=False, **changes):
    """A published training in `folder`, continued from that in the folder `before`.

    If it is to be `stopped`, it ends after its first batch, its state saved.
    """
    recipe = replace(RECIPE, epochs=epochs, **changes)
    layout = describe(recipe.network).layout("knn_clique")
    parts = (
        Batches(part, layout, "log1p", batch_size=recipe.batch_size, seed=recipe.seed)
        for part in (sections[:2], sections[2:])
    )
    state = folder / "state/1"
    state.mkdir(parents=True, exist_ok=True)
    if before:
        continue_from(state, before / "best.pt", before / "last.pt")
    trainer = Trainer(recipe, *parts, state, device=torch.device("cpu"))
    trainer.group.stop_wanted = stopped
    trainer.run()
    names = {"best": "best.pt", "last": "last.pt", "history": "h.tsv", "summary": "training.json"}
    publish(trainer, SimpleNamespace(**{k: folder / v for k, v in names.items()}), threads=1)
    return folder


def weights(path) -> dict:
    return read_checkpoint(path)["model_state_dict"]


def assert_equal_weights(one: dict, two: dict):
    assert one.keys() == two.keys()
    for name, values in one.items():
        assert torch.equal(values, two[name]), name


@pytest.mark.parametrize("order", ["as_released", "shuffled"])
def test_stages_end_where_one_training_does(sections, tmp_path, order):
    straight = train(sections, tmp_path / "straight", 3, order=order)
    before = None
    for epochs in (0, 1, 3):
        before = train(sections, tmp_path / f"e{epochs}", epochs, before, order=order)
    for name in ("best.pt", "last.pt"):
        assert_equal_weights(weights(before / name), weights(straight / name))
    columns = ["epoch", "train_loss", "validation_loss"]
    one, two = (read_table(folder / "h.tsv")[columns] for folder in (before, straight))
    assert one.equals(two)
    # The stage of one epoch is a model of its own, and not that of three.
    first = weights(tmp_path / "e1/last.pt")
    assert not torch.equal(first["fc_gene.bias"], weights(straight / "last.pt")["fc_gene.bias"])


def test_a_stage_that_was_stopped_goes_on_from_its_own_state(sections, tmp_path):
    straight = train(sections, tmp_path / "straight", 2)
    first = train(sections, tmp_path / "first", 1)
    for _ in range(2):
        with pytest.raises(Preempted):
            train(sections, tmp_path / "second", 2, first, stopped=True)
    progress = read_checkpoint(tmp_path / "second/state/1/state.pt")["progress"]
    assert (progress["epoch"], progress["batch"]) == (2, 2)
    second = train(sections, tmp_path / "second", 2, first)
    assert_equal_weights(weights(second / "last.pt"), weights(straight / "last.pt"))


def test_no_epoch_leaves_the_untrained_network(sections, tmp_path):
    folder = train(sections, tmp_path, 0)
    n_genes = sections[0].n_genes()
    fresh = build_network("gcn", n_genes, small.WIDTHS, seed=RECIPE.seed).state_dict()
    for name in ("best.pt", "last.pt"):
        assert_equal_weights(weights(folder / name), fresh)
    summary = json.loads((folder / "training.json").read_text())
    assert (summary["epochs"], summary["best_epoch"], summary["converged"]) == (0, 0, False)
    assert summary["best_validation_mse"] > 0
    assert read_table(folder / "h.tsv").empty


def test_a_training_that_had_ended_by_itself_is_taken_over_as_it_is(sections, tmp_path):
    """Validation loss cannot fall where no step is taken, so that it ends at once."""
    still = {"learning_rate": 1e-30, "patience": 1, "validation": "fixed"}
    first = train(sections, tmp_path / "first", 5, **still)
    assert json.loads((first / "training.json").read_text())["converged"]
    more = train(sections, tmp_path / "more", 50, first, **still)
    assert (more / "h.tsv").read_text() == (first / "h.tsv").read_text()
    assert_equal_weights(weights(more / "best.pt"), weights(first / "best.pt"))
    assert json.loads((more / "training.json").read_text())["converged"]


def test_a_state_that_is_there_is_not_begun_anew(tmp_path):
    for name in ("best.pt", "last.pt"):
        (tmp_path / name).write_text("other")
    state = tmp_path / "state"
    state.mkdir()
    (state / "state.pt").write_text("own")
    continue_from(state, tmp_path / "best.pt", tmp_path / "last.pt")
    assert (state / "state.pt").read_text() == "own"
    assert not (state / "best.pt").exists()
