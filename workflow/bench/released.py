"""The released implementation: whole subgraphs as dense tensors, with all their spots decoded.

Based on the training and perturbation scripts of github.com/dayenai/SAGE-FM at be30af7. The
subgraphs are held in memory, so that its reading of files is not measured.
"""

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch_geometric.data import Batch, Data

from sagefm.networks.gcn import Network
from sagefm.sections.section import Section, load_chunk


def subgraphs_of(section: Section, spots: int) -> list[Data]:
    """Return subgraphs of the first spots, the central spot first, log1p: `x` float32 (15, genes).

    If a section has fewer spots, its first ones are repeated.
    """
    chunk = load_chunk([section], "log1p")
    made = []
    for row in np.arange(spots) % section.n_spots():
        nodes, edge_index, _ = chunk.subgraphs(np.array([row]))
        dense = torch.from_numpy(chunk.expression[nodes].toarray())
        made.append(Data(x=dense, edge_index=torch.from_numpy(edge_index)))
    return made


def predict_all(network: Network, nodes: Tensor, edge_index: Tensor) -> Tensor:
    """Return the predicted expression (nodes, genes) of every spot of every subgraph."""
    everyone = torch.arange(len(nodes), device=nodes.device)
    return network.decode(network.embed_subgraphs(nodes, edge_index, everyone))


def hide(data: Data, share: float) -> Data:
    """Hide random genes of a subgraph's central spot; return it with its mask and target."""
    x, mask = data.x.clone(), torch.zeros_like(data.x, dtype=torch.bool)
    mask[0] = torch.rand(x.shape[1]) < share
    x[0, mask[0]] = 0
    return Data(x=x, edge_index=data.edge_index, mask=mask, original=data.x.clone())


def train_step(network: Network, optimizer: Optimizer, subgraphs: list[Data], share: float) -> None:
    """Mask, collate, predict, and take a step on the mean squared error of the hidden values."""
    batch = Batch.from_data_list([hide(data, share) for data in subgraphs])
    optimizer.zero_grad()
    error = (predict_all(network, batch.x, batch.edge_index) - batch.original) ** 2 * batch.mask
    (error.sum() / batch.mask.sum()).backward()
    optimizer.step()
