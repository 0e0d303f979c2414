"""Matrix products of wide linear layers, each by the faster of two libraries on this processor.

PyTorch uses its BLAS, usually MKL, which runs some shapes at less than half the speed of oneDNN on
processors not made by Intel. PyTorch includes oneDNN as well. Results are equal up to rounding, so
the choice is saved with the state of a training.
"""

import logging
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from sagefm.networks.base import GeneDecoder
from sagefm.networks.device import one_thread

log = logging.getLogger(__name__)

SMALLEST = 2**22
"""Minimum number of weights in a layer; products of smaller ones take too little time to matter."""

WORTH = 1.3
"""Speed-up at which oneDNN is chosen, large enough that repeated measurements agree."""

ROUNDS = 3

Choice = dict[str, list[str]]
"""Products to compute with oneDNN, by the shape of the layer's weights (`1024 x 14558`)."""


def _onednn(one: Tensor, other: Tensor, bias: Tensor | None = None) -> Tensor:
    """`one @ other.T + bias`."""
    return torch.ops.mkldnn._linear_pointwise(one, other, bias, "none", [], "")


PRODUCTS: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "output": (functional.linear, _onednn),
    "input gradient": (
        lambda gradient, weight: gradient @ weight,
        lambda gradient, weight: _onednn(gradient, weight.T),
    ),
    "weight gradient": (
        lambda gradient, x: gradient.T @ x,
        lambda gradient, x: _onednn(gradient.T, x.T),
    ),
}
"""Each product of a layer, computed by PyTorch's BLAS and by oneDNN.

Operands are `x` (rows, in), `weight` (out, in) and the output's `gradient` (rows, out).
"""


def operands_of(rows: int, narrow: int, wide: int) -> dict[str, tuple[Tensor, Tensor]]:
    """Return random operands of each of `PRODUCTS` for a layer with weights (narrow, wide)."""
    x, weight, gradient = map(torch.randn, ((rows, wide), (narrow, wide), (rows, narrow)))
    return {
        "output": (x, weight),
        "input gradient": (gradient, weight),
        "weight gradient": (gradient, x),
    }


def has_onednn() -> bool:
    """Return whether this build of PyTorch supports oneDNN on this processor."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def choose(network: GeneDecoder, rows: int) -> Choice:
    """Choose and log the products of a network's wide layers that oneDNN computes faster here.

    Parameters
    ----------
    network
        Network on the CPU. Its matrices with at least `SMALLEST` weights are timed, once per
        process.
    rows
        Spots of a batch.
    """
    chosen: Choice = {}
    if not has_onednn():
        return chosen
    shapes = {tuple(p.shape) for p in network.parameters() if p.dim() == 2}
    for narrow, wide in sorted(shapes):
        if narrow * wide < SMALLEST:
            continue
        # The first layer's input is data and needs no gradient.
        names = [n for n in PRODUCTS if n != "input gradient" or wide != network.n_genes]
        gains = {name: _gain(name, rows, narrow, wide) for name in names}
        faster = [name for name, gain in gains.items() if gain >= WORTH]
        words = ", ".join(f"{name} {gain:.2f}" for name, gain in gains.items())
        log.info(
            "layer of %d x %d: oneDNN's speed over that of PyTorch's BLAS: %s; by oneDNN: %s",
            *(narrow, wide, words, ", ".join(faster) or "none"),
        )
        if faster:
            chosen[f"{narrow} x {wide}"] = faster
    return chosen


@cache
def _gain(product: str, rows: int, narrow: int, wide: int) -> float:
    """Return the time of a product by PyTorch's BLAS divided by oneDNN's, on one thread.

    Each time is the best of `ROUNDS` alternating runs, in CPU time of the thread, so that other
    processes do not count.
    """
    operands = operands_of(rows, narrow, wide)[product]
    best = [float("inf")] * 2
    with one_thread():
        for _ in range(ROUNDS):
            for number, kernel in enumerate(PRODUCTS[product]):
                start = time.thread_time()
                kernel(*operands)
                best[number] = min(best[number], time.thread_time() - start)
    return best[0] / best[1]


class _Linear(torch.autograd.Function):
    """`functional.linear` of a matrix, with oneDNN for the products listed in `by_onednn`."""

    @staticmethod
    def forward(ctx, x, weight, bias, by_onednn):
        ctx.save_for_backward(x, weight)
        ctx.by_onednn = by_onednn
        return PRODUCTS["output"]["output" in by_onednn](x, weight, bias)

    @staticmethod
    def backward(ctx, *gradients):
        x, weight = ctx.saved_tensors
        (gradient,) = gradients
        of_x, of_weight, of_bias, _ = ctx.needs_input_grad

        def product(name: str, other: Tensor) -> Tensor:
            return PRODUCTS[name][name in ctx.by_onednn](gradient, other)

        return (
            product("input gradient", weight) if of_x else None,
            product("weight gradient", x) if of_weight else None,
            gradient.sum(dim=0) if of_bias else None,
            None,
        )


class Kernels(TorchFunctionMode):
    """Context in which `functional.linear` uses the chosen kernels for float32 on the CPU."""

    def __init__(self, chosen: Mapping[str, list[str]] | None = None) -> None:
        super().__init__()
        self.chosen: Choice = dict(chosen or {})
        self._usable = self.chosen if has_onednn() else {}

    def __torch_function__(self, function: Any, types: Any, args=(), kwargs=None) -> Any:
        """See `TorchFunctionMode`; only `functional.linear` changes."""
        if function is functional.linear and self._usable and not kwargs:
            x, weight, *bias = args
            chosen = self._usable.get(" x ".join(map(str, weight.shape)))
            plain = x.dim() == 2 and x.device.type == "cpu" and x.dtype == torch.float32
            if chosen and plain:
                return _Linear.apply(x, weight, *(bias or [None]), frozenset(chosen))
        return function(*args, **(kwargs or {}))
