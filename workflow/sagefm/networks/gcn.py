"""The paper's network: graph convolutions over a spot's neighbourhood, read at the spot.

On a clique of n spots with self-loops the normalised adjacency is 1/n everywhere. Every layer then
maps all n nodes to one vector, and the network is exactly a multilayer perceptron of the spots'
mean expression. `embed_mean` uses this; `embed_subgraphs` works on any graph.
"""

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional

from sagefm.networks.base import WIDTHS
from sagefm.networks.collapsed import Collapsible
from sagefm.networks.convolution import GraphConvolution

TITLE = "a graph convolutional network"

LAYOUTS = {"knn_clique": "mean", "*": "subgraphs"}

SIZES = ("genes", "widths", "genes")

COLLAPSES = ("mean",)

LAYERS = {"conv": "graph convolution ", "fc_gene": "linear, ReLU"}


class Network(Collapsible):
    """Graph convolutions over a spot's neighbourhood, read at the central spot.

    Parameters are named `conv1.bias, conv1.lin.weight, ..., fc_gene.weight, fc_gene.bias`, as in
    the released checkpoint (31,405,790 of them at the paper's widths and panel). They are built in
    the order of the released code. So a seed draws the same weights, and the optimiser's state,
    which numbers its parameters, is interchangeable.
    """

    conv1: GraphConvolution

    def __init__(self, n_genes: int, widths: tuple[int, ...] = WIDTHS) -> None:
        sizes = enumerate(zip((n_genes, *widths), widths, strict=False), start=1)
        layers = {f"conv{i}": GraphConvolution(wide, narrow) for i, (wide, narrow) in sizes}
        super().__init__(n_genes, widths, layers)

    @classmethod
    def widths_of(cls, state: Mapping[str, Tensor]) -> tuple[int, ...]:
        """See `GeneDecoder`; works for any order of the stored layers."""
        return super().widths_of(dict(sorted(state.items(), key=lambda item: _place(item[0]))))

    @property
    def convolutions(self) -> list[GraphConvolution]:
        """The graph convolutions, from first to last."""
        return [getattr(self, f"conv{i}") for i in range(1, len(self.widths) + 1)]

    def embed_mean(self, mean: Tensor) -> Tensor:
        """Return embeddings (spots, widths[-1]) of cliques from their means (spots, genes).

        Exact for `knn_clique` neighbourhoods. The mean covers all spots of the clique, with the
        central spot's hidden genes set to 0.
        """
        return self.finish(self.first(mean))

    def first(self, *inputs: Tensor) -> Tensor:
        """See `Collapsible`; the input is the neighbourhood's mean (spots, genes)."""
        (mean,) = inputs
        return functional.linear(mean, self.conv1.lin.weight, self.conv1.bias)

    @property
    def neighbour_weights(self) -> Tensor:
        """See `Collapsible`; the centre has the same weights."""
        return self.conv1.lin.weight

    @property
    def deeper(self) -> list[tuple[Tensor, Tensor]]:
        """See `Collapsible`."""
        return [(conv.lin.weight, conv.bias) for conv in self.convolutions[1:]]

    def embed_subgraphs(self, nodes: Tensor, edge_index: Tensor, centre: Tensor) -> Tensor:
        """Return embeddings (spots, widths[-1]) by graph convolution over disjoint subgraphs.

        Parameters
        ----------
        nodes
            Expression (nodes, genes) of the spots of all subgraphs, stacked.
        edge_index
            int64 (2, edges), without self-loops.
        centre
            int64 (spots,): row in `nodes` of each subgraph's central spot.
        """
        hidden = nodes
        for i, conv in enumerate(self.convolutions):
            hidden = functional.leaky_relu(hidden) if i else hidden
            hidden = conv(hidden, edge_index)
        return hidden[centre]


def _place(parameter: str) -> tuple[int, str]:
    """Sort key that orders parameters by layer: `conv2` before `conv10`."""
    return len(parameter), parameter
