"""The published network, reconstructed from the names of its layers, with its training steps."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import GCNConv

from sagefm.sections.batch import Batch


class Released(nn.Module):
    """Five graph convolutions and a decoder, built directly from PyG's layers."""

    def __init__(self, genes: int, widths: tuple[int, ...]):
        super().__init__()
        sizes = (genes, *widths)
        for i in range(5):
            setattr(self, f"conv{i + 1}", GCNConv(sizes[i], sizes[i + 1]))
        self.fc_gene = nn.Linear(widths[-1], genes)

    def forward(self, x, edge_index, centre):
        for i in range(1, 5):
            x = functional.leaky_relu(getattr(self, f"conv{i}")(x, edge_index))
        embedding = self.conv5(x, edge_index)[centre]
        return embedding, functional.relu(self.fc_gene(embedding))


def masked_loss(network: Released, batch: Batch) -> Tensor:
    """Mean squared error of the hidden entries of a batch with layout `subgraphs`."""
    _, prediction = network(*batch.inputs)
    return ((prediction - batch.target) ** 2 * batch.mask).sum() / batch.mask.sum()


def steps(network: Released, optimizer: torch.optim.Optimizer, batches: Iterable[Batch]) -> None:
    """Train on the given batches."""
    for batch in batches:
        optimizer.zero_grad()
        masked_loss(network, batch).backward()
        optimizer.step()
