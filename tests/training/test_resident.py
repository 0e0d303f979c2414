"""Training on sections held on the device (here the CPU) ends with the same weights."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.overrides import TorchFunctionMode

from sagefm.networks.base import build_network
from sagefm.networks.checkpoint import read_checkpoint
from sagefm.networks.device import one_thread
from sagefm.sections import resident
from sagefm.sections.batch import CPU
from sagefm.sections.batches import Batches
from sagefm.sections.resident import on_device
from sagefm.training.evaluation import evaluate
from sagefm.training.job import TrainingJob
from sagefm.training.running_sums import RunningSums
from sagefm.training.trainer import Recipe, Trainer
from support import small
from support.models import fitted

MADE_THERE = "it holds them and makes the batches"


@pytest.fixture(scope="module", autouse=True)
def alone():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return small.write_sections(tmp_path_factory.mktemp("resident"))


def train(sections, folder: Path, keep_gb: float = 2, network: str = "gcn") -> dict:
    """The last checkpoint of two epochs on heart-1 and heart-2."""
    names = {"best": "best.pt", "last": "last.pt", "history": "h.tsv", "summary": "s.json"}
    training = {"epochs": 2, "batch_size": 33, "learning_rate": 2e-3, "weight_decay": 1e-4}
    widths = list(small.WIDTHS) if network == "gcn" else []
    model = {"normalisation": "log1p", "network": network, "widths": widths, "mask_share": 0.3}
    TrainingJob(
        parts=[
            ([str(s.counts_path) for s in part], [str(s.graph_path) for s in part])
            for part in (sections[:2], sections[2:])
        ],
        recipe={**model, "training": {**training, "buffer_spots": 16_384, "seed": 9001}},
        kind="knn_clique",
        state=str(folder / "state/one"),
        output={key: str(folder / name) for key, name in names.items()},
        device="cpu",
        keep_gb=keep_gb,
    ).run()
    return read_checkpoint(folder / "last.pt")


@pytest.mark.parametrize(("network", "tolerance"), [("gcn", 0), ("light", 1e-5)])
def test_weights_are_those_of_streamed_batches(
    sections, tmp_path, monkeypatch, caplog, network, tolerance
):
    caplog.set_level(logging.INFO)
    streamed = train(sections, tmp_path / "streamed", network=network)
    assert MADE_THERE not in caplog.text
    monkeypatch.setattr(resident, "room_on", lambda device: 10**9)
    held = train(sections, tmp_path / "held", network=network)
    assert caplog.text.count(MADE_THERE) == 1
    for name, weights in streamed["model_state_dict"].items():
        own = held["model_state_dict"][name]
        torch.testing.assert_close(own, weights, rtol=tolerance, atol=tolerance)
    for one, two in zip(streamed["progress"]["history"], held["progress"]["history"], strict=True):
        for loss in ("train_loss", "validation_loss", "validation_mse"):
            assert two[loss] == pytest.approx(one[loss], rel=tolerance, abs=0)


class Waits(TorchFunctionMode):
    """Keeps the names of calls that would wait for a GPU."""

    NAMES = frozenset(
        ["item", "tolist", "cpu", "numpy", "__float__", "__int__", "__bool__", "nonzero"]
    )

    def __init__(self):
        super().__init__()
        self.found: list[str] = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if (name := getattr(function, "__name__", "")) in self.NAMES:
            self.found.append(name)
        return function(*args, **(kwargs or {}))


def test_no_step_waits_for_a_number(sections, tmp_path, monkeypatch):
    monkeypatch.setattr(resident, "room_on", lambda device: 10**9)
    monkeypatch.setattr(resident, "SPOTS_AT_ONCE", 32)
    parts = [Batches(part, "mean", "log1p", 16) for part in (sections[:2], sections[2:])]
    trainer = Trainer(
        Recipe(widths=small.WIDTHS, batch_size=16), *on_device(parts, CPU), tmp_path, device=CPU
    )
    batches = trainer.training.epoch(1, device=CPU)
    trainer._step(next(batches))  # the sections are read, and an epoch's sizes
    with Waits() as waits:
        assert torch.ones(1).item() == 1
        for batch in batches:
            trainer._step(batch)
    assert waits.found == ["item"]
    with Waits() as waits:
        evaluate(trainer.network, trainer.validation, CPU)
    of_an_epoch = waits.found
    with Waits() as waits:
        evaluate(trainer.network, replace(trainer.validation, batch_size=4), CPU)
    assert of_an_epoch == waits.found  # however many batches there are


def test_nothing_is_held_where_nothing_is_to_be_kept(sections, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(resident, "room_on", lambda device: 10**9)
    train(sections, tmp_path, keep_gb=0)
    assert MADE_THERE not in caplog.text


def test_embeddings_are_those_of_streamed_batches(sections, monkeypatch):
    model = fitted(build_network("gcn", sections[0].n_genes(), small.WIDTHS, seed=1))
    streamed = [*model.embedded_rows(sections[0])]
    made = []
    monkeypatch.setattr(resident, "room_on", lambda device: made.append(device) or 10**9)
    held = [*model.embedded_rows(sections[0])]
    assert made == [CPU]
    for one, two in zip(streamed, held, strict=True):
        assert (one == two).all()


def test_running_sums_add_numbers_and_tensors_in_double_precision():
    sums = RunningSums(CPU, loss=1.0, weight=2.0)
    sums.add(torch.tensor(1e-9), torch.tensor(2**24 + 1))
    sums.add(0.5, 3)
    assert sums.read() == {
        "loss": pytest.approx(1.5 + 1e-9, rel=1e-15),
        "weight": 2.0 + 2**24 + 1 + 3,
    }
