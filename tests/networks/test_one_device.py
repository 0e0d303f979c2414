"""Batches, losses, gradients, embeddings and perturbations use one device and read nothing back.

This is tested on torch's `meta` device, which checks shapes and types but has no values, so reading
one is an error.
"""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sagefm.networks import fitted as fitted_models
from sagefm.networks import registry
from sagefm.networks.base import build_network, loss
from sagefm.networks.fitted import FittedModel
from sagefm.networks.perturbed import neighbourhoods
from sagefm.networks.recipe import ModelRecipe
from sagefm.sections.batch import CPU
from sagefm.sections.batches import Batches
from sagefm.sections.held import HeldSections
from sagefm.sections.resident import LAYOUTS_HELD, ResidentBatches
from support import small

ELSEWHERE = torch.device("meta")
INPUTS = sorted(
    (name, kind, layout)
    for name in registry.names()
    for kind, layout in registry.describe(name).layouts.items()
    if layout in LAYOUTS_HELD
)
"""Networks, kinds of graph, and layouts on them, except subgraphs, whose numbers are read."""

MOVES = ("_to_copy", "copy_", "_copy_from")
"""Operations that may read one device and write another."""


class OneDevice(TorchDispatchMode):
    """Refuses operations on tensors of two devices; numbers may be on the CPU."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        given = tree_leaves((args, kwargs or {}))
        devices = {x.device for x in given if isinstance(x, torch.Tensor) and x.dim() > 0}
        name = func.overloadpacket.__name__
        assert name in MOVES or len(devices) <= 1, f"{name} on {devices}"
        return func(*args, **(kwargs or {}))


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return small.write_sections(tmp_path_factory.mktemp("elsewhere"), **small.KNN)


@pytest.fixture
def known_sizes(sections, monkeypatch):
    """The numbers of entries are as on the CPU: they are read once an epoch."""
    held = HeldSections.read(Batches(sections, "mean", "log1p", batch_size=16), CPU)
    entries = HeldSections.entries
    on_cpu = lambda _, rows, ends: entries(held, torch.arange(120), torch.tensor([120]))  # noqa: E731
    monkeypatch.setattr(HeldSections, "entries", on_cpu)


def test_two_devices_and_reading_are_refused():
    x, y = torch.ones(3, 3), torch.ones(3, 3, device=ELSEWHERE)
    with OneDevice():
        assert (y @ y * 2 + x.mean()).device == ELSEWHERE
        with pytest.raises(AssertionError, match="mm on"):
            y @ x
        with pytest.raises(RuntimeError, match="item"):
            y.sum().item()


@pytest.mark.parametrize(("name", "layout"), sorted({(name, own) for name, _, own in INPUTS}))
def test_batches_and_steps(sections, known_sizes, name, layout):
    streamed = Batches(sections, layout, "log1p_cp10k", batch_size=16, always_hidden=(3,))
    made = ResidentBatches.of(streamed, ELSEWHERE)
    network = build_network(name, sections[0].n_genes(), small.WIDTHS, seed=0).to(ELSEWHERE)
    network.train()
    with OneDevice():
        found = list(made.epoch(1, device=ELSEWHERE))
        for batch in found:
            total, weight = loss(network, batch)
            (total / weight).backward()
    for one, two in zip(streamed.epoch(1), found, strict=True):
        for a, b in zip(one.tensors(), two.tensors(), strict=True):
            assert (b.device, b.shape, b.dtype) == (ELSEWHERE, a.shape, a.dtype)
    for parameter in network.parameters():
        assert parameter.grad is not None and parameter.grad.device == ELSEWHERE


@pytest.mark.parametrize(("name", "kind", "layout"), INPUTS)
def test_embedding_and_perturbation(sections, monkeypatch, name, kind, layout):
    monkeypatch.setattr(fitted_models, "autocast", lambda *_: nullcontext())
    monkeypatch.setattr(FittedModel, "unmeasured", None)  # read once, from the network's values
    kind = "radius" if kind == registry.ANY_GRAPH else kind
    genes = [f"g{i}" for i in range(sections[0].n_genes())]
    network = build_network(name, len(genes), small.WIDTHS, seed=0)
    recipe = ModelRecipe(genes, name, "log1p", {"kind": kind})
    model = FittedModel(network, recipe, ELSEWHERE)
    assert model.layout == layout
    outputs, levels = (torch.tensor(x, device=ELSEWHERE) for x in ([3, 5], [0.0, 1.0, 2.0]))
    chunk, rows = model.chunk(sections[:1]), np.arange(20)
    batch = model.batch(chunk, rows, np.zeros((20, len(genes)), dtype=bool))
    with OneDevice(), torch.inference_mode():
        assert model.embed(batch).shape == (20, network.widths[-1])
        for part in neighbourhoods(model, sections[0], rows, [3, 5], batch_size=20):
            assert part.respond(7, levels, outputs).shape == (3, 20, 2)
            assert part.respond(7, levels, outputs).device == ELSEWHERE
