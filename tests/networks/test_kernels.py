"""Matrix products of both libraries: equal within rounding, and chosen once."""

import itertools
import logging

import pytest
import torch
from torch.nn import functional

from sagefm.networks import kernels
from sagefm.networks.base import build_network
from sagefm.networks.kernels import PRODUCTS, Kernels, choose

ROWS, WIDE, NARROW = 7, 48, 20
SUBSETS = [
    list(names)
    for number in range(len(PRODUCTS) + 1)
    for names in itertools.combinations(PRODUCTS, number)
]


def layer(biased: bool) -> list[torch.Tensor | None]:
    """Input, weights and bias of a layer, each of which needs a gradient."""
    draw = torch.Generator().manual_seed(3)
    shapes = [(ROWS, WIDE), (NARROW, WIDE), *([(NARROW,)] if biased else [])]
    made = [torch.randn(shape, generator=draw, requires_grad=True) for shape in shapes]
    return made if biased else [*made, None]


def output_and_gradients(chosen: dict, biased: bool) -> list[torch.Tensor]:
    """A layer's output and all gradients of its squared sum, under a choice."""
    tensors = layer(biased)
    with Kernels(chosen):
        out = functional.linear(*tensors)
        out.square().sum().backward()
    return [out.detach(), *(t.grad for t in tensors if t is not None)]


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("names", SUBSETS, ids=", ".join)
def test_every_choice_gives_the_same_within_rounding(names, biased):
    plain = output_and_gradients({}, biased)
    chosen = output_and_gradients({f"{NARROW} x {WIDE}": names}, biased)
    assert len(plain) == len(chosen) == 3 + biased
    for one, other in zip(plain, chosen, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-4)
        assert other.is_contiguous()


def test_the_chosen_products_and_no_others_are_given_to_onednn(monkeypatch):
    calls = []
    wrapped = {
        name: (own, lambda *a, name=name, other=other: calls.append(name) or other(*a))
        for name, (own, other) in PRODUCTS.items()
    }
    monkeypatch.setattr(kernels, "PRODUCTS", wrapped)
    output_and_gradients({f"{NARROW} x {WIDE}": ["output", "weight gradient"]}, True)
    assert calls == ["output", "weight gradient"]
    output_and_gradients({"20 x 49": ["output"]}, True)
    assert len(calls) == 2
    with Kernels({f"{NARROW} x {WIDE}": ["output"]}):
        x, weight, bias = layer(True)
        functional.linear(x.double(), weight.double(), bias.double())
        functional.linear(x[None], weight, bias)
    assert len(calls) == 2


def test_a_choice_takes_what_is_clearly_faster_of_the_wide_layers(monkeypatch, caplog):
    asked = []

    def gain(product, rows, narrow, wide):
        asked.append((product, rows, narrow, wide))
        return {"output": 1.2, "input gradient": 3.0, "weight gradient": 1.5}[product]

    monkeypatch.setattr(kernels, "_gain", gain)
    monkeypatch.setattr(kernels, "has_onednn", lambda: True)
    monkeypatch.setattr(kernels, "SMALLEST", 400)
    network = build_network("two_channel", 60, (8, 4, 8), seed=0)
    with caplog.at_level(logging.INFO):
        assert choose(network, 5) == {
            "8 x 60": ["weight gradient"],
            "60 x 8": ["input gradient", "weight gradient"],
        }
    # The first layer's input is data; the layers between are too small.
    assert set(asked) == {
        ("output", 5, 8, 60), ("weight gradient", 5, 8, 60),
        ("output", 5, 60, 8), ("input gradient", 5, 60, 8), ("weight gradient", 5, 60, 8),
    }  # fmt: skip
    assert "layer of 60 x 8" in caplog.text
    assert "input gradient 3.00" in caplog.text


def test_small_networks_are_not_measured(monkeypatch):
    monkeypatch.setattr(kernels, "_gain", None)
    assert choose(build_network("two_channel", 60, (8, 4, 8), seed=0), 64) == {}


def test_a_gain_is_measured_once_and_leaves_the_threads():
    before = torch.get_num_threads()
    gains = [kernels._gain("weight gradient", 3, 64, 32) for _ in range(2)]
    assert gains[0] == gains[1] > 0
    assert torch.get_num_threads() == before


def test_without_onednn_a_saved_choice_is_kept_but_not_used(monkeypatch):
    monkeypatch.setattr(kernels, "has_onednn", lambda: False)
    held = Kernels({f"{NARROW} x {WIDE}": ["output"]})
    monkeypatch.setattr(kernels, "PRODUCTS", None)
    with held:
        functional.linear(*layer(True))
    assert held.chosen == {f"{NARROW} x {WIDE}": ["output"]}
    assert choose(build_network("two_channel", 60, (8, 4, 8), seed=0), 64) == {}
