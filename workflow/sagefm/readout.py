"""From the first layer of a network that collapses to predictions, in as few products as can be."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from sagefm.model import Collapsible


class Readout:
    """All that follows the first layer, its last layer and the decoder made one.

    The embedding is linear in the last layer's input, and so is what the decoder makes of it before
    its ReLU: one matrix, `weight` (outputs, the last layer's inputs), stands for both. That halves
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
