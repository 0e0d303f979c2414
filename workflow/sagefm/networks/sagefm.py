"""The SAGE-FM network, and the two that stand beside it.

On a clique of n spots with self-loops the normalised adjacency is 1/n everywhere, so every layer
maps all n nodes to one vector and the whole network is, exactly, an MLP of the spots' mean
expression. `SageFM.embed_mean` is that path; `SageFM.embed_subgraphs` is the general one.
"""

from typing import TYPE_CHECKING, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional

from sagefm.networks.base import GeneDecoder
from sagefm.networks.collapsed import Collapsible
from sagefm.networks.contrast import Contrast
from sagefm.networks.convolution import graph_convolution

if TYPE_CHECKING:  # seconds to import; only the network that convolves pays
    from torch_geometric.nn import GCNConv

WIDTHS = (1024, 512, 512, 512, 1024)
"""Output widths of the paper's five layers; the last is the embedding's."""


class SageFM(Collapsible):
    """Graph convolutions over a spot's neighbourhood, read at the central spot.

    Parameters are named `conv1.lin.weight, conv1.bias, ..., fc_gene.weight, fc_gene.bias`, as in
    the released checkpoint (31,405,790 of them at the paper's width and panel).
    """

    conv1: "GCNConv"

    def __init__(self, n_genes: int, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__(n_genes, widths)
        for i, (wide, narrow) in enumerate(zip((n_genes, *widths), widths, strict=False), start=1):
            self.add_module(f"conv{i}", graph_convolution(wide, narrow))

    @property
    def convolutions(self) -> "list[GCNConv]":
        """The graph convolutions, first to last."""
        return [getattr(self, f"conv{i}") for i in range(1, len(self.widths) + 1)]

    def embed_mean(self, mean: Tensor) -> Tensor:
        """Embeddings (spots, widths[-1]) of cliques, from their mean expression (spots, genes).

        Exact for `knn_clique` neighbourhoods: the mean is over all spots of the clique, with the
        central spot's hidden genes set to 0.
        """
        return self.finish(self.first(mean))

    def first(self, *inputs: Tensor) -> Tensor:
        """See `Collapsible`; of the neighbourhood's mean (spots, genes)."""
        (mean,) = inputs
        return functional.linear(mean, self.conv1.lin.weight, self.conv1.bias)

    @property
    def neighbour_weights(self) -> Tensor:
        """See `Collapsible`; the centre's are the same."""
        return self.conv1.lin.weight

    @property
    def deeper(self) -> list[tuple[Tensor, Tensor]]:
        """See `Collapsible`."""
        return [(conv.lin.weight, conv.bias) for conv in self.convolutions[1:]]

    def embed_subgraphs(self, nodes: Tensor, edge_index: Tensor, centre: Tensor) -> Tensor:
        """Embeddings (spots, widths[-1]) by graph convolution over disjoint subgraphs.

        Parameters
        ----------
        nodes
            Expression (nodes, genes) of all subgraphs' spots, stacked.
        edge_index
            int64 (2, edges), without self-loops.
        centre
            int64 (spots,): the row of each subgraph's central spot in `nodes`.
        """
        hidden = nodes
        for i, conv in enumerate(self.convolutions):
            hidden = functional.leaky_relu(hidden) if i else hidden
            hidden = conv(hidden, edge_index)
        return hidden[centre]


class TwoChannel(Collapsible):
    """The central spot and its neighbours' mean, each with first-layer weights of its own.

    The paper's clique cannot tell the centre from its neighbours; this network can, at the price
    of one more first layer. Any neighbourhood kind serves; only the set of neighbours enters.
    """

    def __init__(self, n_genes: int, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__(n_genes, widths)
        self.centre = nn.Linear(n_genes, self.widths[0])
        self.neighbours = nn.Linear(n_genes, self.widths[0], bias=False)
        self.hidden = nn.ModuleList(
            nn.Linear(wide, narrow)
            for wide, narrow in zip(self.widths, self.widths[1:], strict=False)
        )

    def embed_channels(self, centre: Tensor, neighbours: Tensor) -> Tensor:
        """Embeddings (spots, widths[-1]) of two (spots, genes) inputs.

        `centre` is the spot's own expression, hidden genes 0; `neighbours` the mean of the others.
        """
        return self.finish(self.first(centre, neighbours))

    def first(self, *inputs: Tensor) -> Tensor:
        """See `Collapsible`; of the centre's and the neighbours' expression (spots, genes)."""
        centre, neighbours = inputs
        return self.centre(centre) + self.neighbours(neighbours)

    @property
    def neighbour_weights(self) -> Tensor:
        """See `Collapsible`."""
        return self.neighbours.weight

    @property
    def deeper(self) -> list[tuple[Tensor, Tensor]]:
        """See `Collapsible`."""
        return [
            (layer.get_parameter("weight"), layer.get_parameter("bias")) for layer in self.hidden
        ]


NETWORKS: dict[str, type[GeneDecoder]] = {
    "gcn": SageFM,
    "two_channel": TwoChannel,
    "contrast": Contrast,
}


def input_layout(network: str, graph_kind: str) -> str:
    """Name of a network's input on a kind of graph: `mean`, `channels`, `contrast`, `subgraphs`.

    `embed_{layout}` is the network's method for it.
    """
    if network == "contrast":
        return "contrast"
    if network == "two_channel":
        return "channels"
    return "mean" if graph_kind == "knn_clique" else "subgraphs"


def collapses(network: GeneDecoder, layout: str) -> TypeGuard[Collapsible]:
    """Whether a network is, on a layout (`input_layout`), the stack of a `Collapsible`."""
    return isinstance(network, Collapsible) and layout in ("mean", "channels")


def build_network(
    network: str, n_genes: int, widths: tuple[int, ...] = WIDTHS, *, seed: int | None = None
) -> GeneDecoder:
    """A freshly initialised network; `seed` fixes its weights without touching global state."""
    with torch.random.fork_rng(enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        return NETWORKS[network](n_genes, tuple(widths))
