"""A graph convolution by torch_geometric, imported only when a graph is convolved."""

import math
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.func import functional_call

if TYPE_CHECKING:  # 3 s to import, as long as embedding a section; cliques do not need it
    from torch_geometric.nn import GCNConv


class GraphConvolution(nn.Module):
    """A `GCNConv` from `wide` to `narrow` features per spot; torch_geometric loads on first use.

    Parameters have the names and order of `GCNConv` and, for a given seed, the same values: it
    draws its weight twice, and the second draw counts.
    """

    def __init__(self, wide: int, narrow: int) -> None:
        super().__init__()
        self.lin = nn.Linear(wide, narrow, bias=False)  # the first draw
        bound = math.sqrt(6 / (wide + narrow))
        nn.init.uniform_(self.lin.weight, -bound, bound)
        self.bias = nn.Parameter(torch.zeros(narrow))

    def forward(self, nodes: Tensor, edge_index: Tensor) -> Tensor:
        """Convolve `nodes` (nodes, wide) over int64 edges (2, edges); return (nodes, narrow)."""
        layer = _layer(self.lin.in_features, self.lin.out_features)
        return functional_call(layer, dict(self.named_parameters()), (nodes, edge_index))


@cache
def _layer(wide: int, narrow: int) -> "GCNConv":
    """Return a `GCNConv` of torch_geometric without values, and remove the file it writes.

    The first layer of a process makes torch_geometric write code to the folder for temporary files
    and import it from there. The file is not needed afterwards.
    """
    from torch_geometric.nn import GCNConv

    with torch.device("meta"):
        layer = GCNConv(wide, narrow)
    code = sys.modules[layer.propagate.__module__]
    for name in (code.__file__, code.__cached__):
        if name and code.__name__ in Path(name).name:  # never true of an installed package's file
            Path(name).unlink(missing_ok=True)
    return layer
