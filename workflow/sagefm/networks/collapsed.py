"""Predictions from the first layer of a network that collapses, in as few products as possible."""

from collections.abc import Sequence
from typing import TypeGuard

from torch import Tensor
from torch.nn import functional

from sagefm.networks.base import GeneDecoder

MEANS = ("mean", "channels")
"""Layouts whose inputs are means over neighbours; a network can collapse only on these."""


class Collapsible(GeneDecoder):
    """A network that is exactly a stack of dense layers over means of the neighbourhood.

    The neighbours enter only its first layer, with one column of weights per gene
    (`neighbour_weights`).
    """

    def first(self, *inputs: Tensor) -> Tensor:
        """The first layer's output (spots, widths[0]), before its non-linearity."""
        raise NotImplementedError

    @property
    def neighbour_weights(self) -> Tensor:
        """Weights (widths[0], genes) of the neighbours in the first layer."""
        raise NotImplementedError

    @property
    def deeper(self) -> list[tuple[Tensor, Tensor]]:
        """Weight (out, in) and bias (out,) of each layer after the first, except the decoder."""
        raise NotImplementedError

    def finish(self, hidden: Tensor) -> Tensor:
        """Return embeddings (spots, widths[-1]) from the output of `first`."""
        for weight, bias in self.deeper:
            hidden = functional.linear(functional.leaky_relu(hidden), weight, bias)
        return hidden


def collapses(network: GeneDecoder, layout: str) -> TypeGuard[Collapsible]:
    """Return whether a network is the layer stack of a `Collapsible` on a layout of its input."""
    return isinstance(network, Collapsible) and layout in MEANS


class Readout:
    """All layers after the first, with the last layer and the decoder merged into one.

    Both the embedding and the decoder's output before its ReLU are linear in the last layer's
    input. So one matrix, `weight` (outputs, inputs of the last layer), replaces both. That halves
    the products per prediction at the paper's widths.
    """

    def __init__(
        self, middle: Sequence[tuple[Tensor, Tensor]], weight: Tensor, bias: Tensor, deep: bool
    ) -> None:
        self.middle, self.weight, self.bias, self.deep = middle, weight, bias, deep

    @classmethod
    def of(cls, network: Collapsible) -> "Readout":
        """Build the readout of all genes of the panel."""
        weight: Tensor = network.fc_gene.weight
        bias: Tensor = network.fc_gene.bias
        for last, offset in network.deeper[-1:]:
            weight, bias = weight @ last, bias + weight @ offset
        # A network of one layer has nothing non-linear between it and the decoder.
        return cls(network.deeper[:-1], weight, bias, deep=bool(network.deeper))

    def only(self, outputs: Tensor) -> "Readout":
        """Return the readout of some genes (int64 columns of the panel)."""
        return Readout(self.middle, self.weight[outputs], self.bias[outputs], self.deep)

    def __call__(self, hidden: Tensor) -> Tensor:
        """Predict (rows, outputs) from the output of `network.first` (rows, widths[0]).

        `hidden` is overwritten.
        """
        return self.after(0, hidden)

    def after(self, layers: int, hidden: Tensor) -> Tensor:
        """Predict from the output of the first `layers` middle layers (rows, their width).

        `hidden` is overwritten.
        """
        for weight, bias in self.middle[layers:]:
            hidden = functional.linear(functional.leaky_relu_(hidden), weight, bias)
        hidden = functional.leaky_relu_(hidden) if self.deep else hidden
        return functional.linear(hidden, self.weight, self.bias).relu_()
