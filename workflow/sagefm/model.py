"""The SAGE-FM network, and the two that stand beside it.

On a clique of n spots with self-loops the normalised adjacency is 1/n everywhere, so every layer
maps all n nodes to one vector and the whole network is, exactly, an MLP of the spots' mean
expression. `SageFM.embed_mean` is that path; `SageFM.embed_subgraphs` is the general one.
"""

from typing import TYPE_CHECKING

import scipy.sparse as sp
import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:  # seconds to import; only the network that convolves pays
    from torch_geometric.nn import GCNConv

WIDTHS = (1024, 512, 512, 512, 1024)
"""Output widths of the paper's five layers; the last is the embedding's."""


class _GeneDecoder(nn.Module):
    """What all networks share: the gene decoder, its non-linearity, and the loss."""

    LOSS = "squared error"

    def __init__(self, n_genes: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.n_genes, self.widths = n_genes, tuple(widths)
        self.fc_gene = nn.Linear(self.widths[-1], n_genes)

    def decode(self, embedding: Tensor) -> Tensor:
        """Predicted expression (spots, genes) of embeddings (spots, widths[-1])."""
        return functional.relu(self.fc_gene(embedding))

    def loss(
        self, embedding: Tensor, target: Tensor, mask: Tensor, *context: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Sum of squared errors over the hidden entries (float32 scalar), and their number."""
        return squared_error(self.decode(embedding, *context), target, mask), mask.sum()


def squared_error(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Sum of squared errors over the hidden entries: float32 scalar."""
    return ((prediction.float() - target) * mask).square().sum()


class _Collapsed(_GeneDecoder):
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


class SageFM(_Collapsed):
    """Graph convolutions over a spot's neighbourhood, read at the central spot.

    Parameters are named `conv1.lin.weight, conv1.bias, ..., fc_gene.weight, fc_gene.bias`, as in
    the released checkpoint (31,405,790 of them at the paper's width and panel).
    """

    def __init__(self, n_genes: int, widths: tuple[int, ...] = WIDTHS) -> None:
        from torch_geometric.nn import GCNConv

        super().__init__(n_genes, widths)
        for i, (wide, narrow) in enumerate(zip((n_genes, *widths), widths, strict=False), start=1):
            self.add_module(f"conv{i}", GCNConv(wide, narrow))

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
        """See `_Collapsed`; of the neighbourhood's mean (spots, genes)."""
        return functional.linear(*inputs, self.conv1.lin.weight, self.conv1.bias)

    @property
    def neighbour_weights(self) -> Tensor:
        """See `_Collapsed`; the centre's are the same."""
        return self.conv1.lin.weight

    @property
    def deeper(self) -> list[tuple[Tensor, Tensor]]:
        """See `_Collapsed`."""
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


class TwoChannel(_Collapsed):
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
        """See `_Collapsed`; of the centre's and the neighbours' expression (spots, genes)."""
        centre, neighbours = inputs
        return self.centre(centre) + self.neighbours(neighbours)

    @property
    def neighbour_weights(self) -> Tensor:
        """See `_Collapsed`."""
        return self.neighbours.weight

    @property
    def deeper(self) -> list[tuple[Tensor, Tensor]]:
        """See `_Collapsed`."""
        return [(layer.weight, layer.bias) for layer in self.hidden]


class Contrast(_GeneDecoder):
    """What sets a spot apart from its section's average spot: programmes of genes, and their dose.

    Centre and neighbours' mean are read through principal components of the training sections,
    which stay fixed; what a small network makes of them is added to them, and that sum is the
    embedding. Each of its dimensions is a programme: `fc_gene.weight` holds every gene's log fold
    change for a unit of it. They act on the difference to the embedding of the section's average
    spot, so an average spot is predicted as the section's mean whatever its patient or depth; and
    the loss is the multinomial likelihood of the hidden counts, which does not ask how many there
    are.

    `widths` are those of the small network's hidden layers; the embedding has 2 `COMPONENTS`.
    """

    LOSS = "multinomial"
    COMPONENTS = 50
    """Principal components of each channel."""

    RATE_FLOOR = 1e-3
    """Rate of a gene that the section's other spots lack."""

    def __init__(self, n_genes: int, widths: tuple[int, ...]) -> None:
        wide = 2 * self.COMPONENTS
        super().__init__(n_genes, (*widths, wide))
        self.fc_gene = nn.Linear(wide, n_genes, bias=False)
        nn.init.normal_(self.fc_gene.weight, std=0.01)
        for channel in ("centre", "neighbours"):
            self.register_buffer(f"{channel}_mean", torch.zeros(n_genes))
            self.register_buffer(f"{channel}_components", torch.zeros(n_genes, self.COMPONENTS))
        self.hidden = nn.ModuleList(
            nn.Linear(wide, narrow)
            for wide, narrow in zip((wide, *widths), self.widths, strict=True)
        )

    def fit_input(self, centre: sp.csr_matrix, neighbours: sp.csr_matrix) -> None:
        """Take the principal components of (spots, genes) expression; the first has variance 1."""
        from sagefm.principal import principal_components

        for channel, values in (("centre", centre), ("neighbours", neighbours)):
            scores, loadings, mean = principal_components(values, self.COMPONENTS, seed=0)
            scaled = torch.from_numpy((loadings / scores[:, 0].std()).T)
            getattr(self, f"{channel}_mean").copy_(torch.from_numpy(mean))
            getattr(self, f"{channel}_components")[:, : len(loadings)] = scaled

    def embed_contrast(self, centre: Tensor, neighbours: Tensor) -> Tensor:
        """Embeddings (spots, widths[-1]) of two (spots, genes) inputs, as of `TwoChannel`.

        Hidden genes of `centre` are as in the section's average spot.
        """
        components = torch.cat(
            [
                (centre - self.centre_mean) @ self.centre_components,
                (neighbours - self.neighbours_mean) @ self.neighbours_components,
            ],
            dim=1,
        )
        hidden = components
        for i, layer in enumerate(self.hidden):
            hidden = layer(functional.leaky_relu(hidden) if i else hidden)
        return components + hidden

    def log_fold(self, embedding: Tensor, background: Tensor) -> Tensor:
        """Log fold change (spots, genes; float32) against the section's mean, up to a constant."""
        average = self.embed_contrast(background, background)
        return self.fc_gene(embedding - average).float()

    def decode(self, embedding: Tensor, background: Tensor, rate: Tensor, _: Tensor) -> Tensor:
        """Predicted expression (spots, genes).

        Parameters
        ----------
        embedding
            (spots, widths[-1])
        background, rate
            (spots, genes): mean expression, and mean rate, of the section's other spots.
        """
        fold, rate = self.log_fold(embedding, background), rate + self.RATE_FLOOR
        share = rate / rate.sum(dim=1, keepdim=True)
        fold = fold - torch.logsumexp(fold + share.log(), dim=1, keepdim=True)
        # In proportion to the fold change where a gene is rare, to its logarithm where it abounds.
        return background * torch.log1p(rate * fold.exp()) / torch.log1p(rate)

    def loss(
        self,
        embedding: Tensor,
        target: Tensor,
        mask: Tensor,
        background: Tensor,
        rate: Tensor,
        depth: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Negative log likelihood of the hidden counts (nats; float32 scalar), and their number.

        Multinomial over each spot's hidden genes, given how many counts they have together.
        """
        logits = self.log_fold(embedding, background) + (rate + self.RATE_FLOOR).log()
        log_share = torch.log_softmax(logits.masked_fill(~mask, -torch.inf), dim=1)
        counts = torch.expm1(target) * depth[:, None] * mask
        return -(log_share.masked_fill(~mask, 0) * counts).sum(), counts.sum()


NETWORKS: dict[str, type[_GeneDecoder]] = {
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


def build_network(
    network: str, n_genes: int, widths: tuple[int, ...] = WIDTHS, *, seed: int | None = None
) -> _GeneDecoder:
    """A freshly initialised network; `seed` fixes its weights without touching global state."""
    with torch.random.fork_rng(enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        return NETWORKS[network](n_genes, tuple(widths))
