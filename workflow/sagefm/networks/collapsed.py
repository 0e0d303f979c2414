"""From the first layer of a network that collapses to predictions, in as few products as can be."""

from collections.abc import Sequence
from typing import TypeGuard

from torch import Tensor
from torch.nn import functional

from sagefm.networks.base import GeneDecoder

MEANS = ("mean", "channels")
"""Layouts whose inputs are means over neighbours: those on which a network may collapse."""


class Collapsible(GeneDecoder):
    """A network that, where it is exact, is a stack of dense layers over a neighbourhood's means.

    What the neighbours bring enters its first layer alone, one column a gene (`neighbour_weights`).
    """

    def first(self, *inputs: Tensor) -> Tensor:
        """The first layer's output (spots, widths[0]), before its non-linearity."""
        raise NotImplementedError

    @property
    def neighbour_weights(self) -> Tensor:
        """The first layer's weights (widths[0], genes) of what the neighbours bring."""
        raise NotImplementedError

    @property
    def deeper(self) -> list[tuple[Tensor, Tensor]]:
        """Weight (out, in) and bias (out,) of each layer after the first, without the decoder."""
        raise NotImplementedError

    def finish(self, hidden: Tensor) -> Tensor:
        """Embeddings (spots, widths[-1]) of what `first` returns."""
        for weight, bias in self.deeper:
            hidden = functional.linear(functional.leaky_relu(hidden), weight, bias)
        return hidden


def collapses(network: GeneDecoder, layout: str) -> TypeGuard[Collapsible]:
    """Whether a network is, on a layout of its input, the stack of a `Collapsible`."""
    return isinstance(network, Collapsible) and layout in MEANS


class Readout:
    """All that follows the first layer, its last layer and the decoder made one.

    The embedding is linear in the last layer's input, and so is what the decoder makes of it before
    its ReLU: one matrix, `weight` (outputs, the last layer's inputs), replaces both. That halves
    the products of a prediction at the paper's widths.
    """

    def __init__(
        self, middle: Sequence[tuple[Tensor, Tensor]], weight: Tensor, bias: Tensor, deep: bool
    ) -> None:
        self.middle, self.weight, self.bias, self.deep = middle, weight, bias, deep

    @classmethod
    def of(cls, network: Collapsible) -> "Readout":
        """The readout of all genes of the panel."""
        weight: Tensor = network.fc_gene.weight
        bias: Tensor = network.fc_gene.bias
        for last, offset in network.deeper[-1:]:
            weight, bias = weight @ last, bias + weight @ offset
        # A network of one layer has nothing non-linear between it and the decoder.
        return cls(network.deeper[:-1], weight, bias, deep=bool(network.deeper))

    def only(self, outputs: Tensor) -> "Readout":
        """The readout of some genes (int64 columns of the panel)."""
        return Readout(self.middle, self.weight[outputs], self.bias[outputs], self.deep)

    def __call__(self, hidden: Tensor) -> Tensor:
        """Predictions (rows, outputs) of what `network.first` gives (rows, widths[0]).

        `hidden` is overwritten.
        """
        return self.after(0, hidden)

    def after(self, layers: int, hidden: Tensor) -> Tensor:
        """Predictions of what some middle layers, the first ones, give (rows, their width).

        `hidden` is overwritten.
        """
        for weight, bias in self.middle[layers:]:
            hidden = functional.linear(functional.leaky_relu_(hidden), weight, bias)
        hidden = functional.leaky_relu_(hidden) if self.deep else hidden
        return functional.linear(hidden, self.weight, self.bias).relu_()
