"""A graph convolution of torch_geometric, which is imported when a graph is convolved."""

import math
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.func import functional_call

if TYPE_CHECKING:  # 3 s to import, as long as a section takes to embed; cliques need none of it
    from torch_geometric.nn import GCNConv


class GraphConvolution(nn.Module):
    """The weights of a `GCNConv` from `wide` to `narrow` features of a spot, and its work.

    Parameters have its names, order and, for a seed, its values: its weight is drawn twice, and
    the second draw counts.
    """

    def __init__(self, wide: int, narrow: int) -> None:
        super().__init__()
        self.lin = nn.Linear(wide, narrow, bias=False)  # the first draw
        bound = math.sqrt(6 / (wide + narrow))
        nn.init.uniform_(self.lin.weight, -bound, bound)
        self.bias = nn.Parameter(torch.zeros(narrow))

    def forward(self, nodes: Tensor, edge_index: Tensor) -> Tensor:
        """Convolve `nodes` (nodes, wide) over edges, int64 (2, edges): (nodes, narrow)."""
        layer = _layer(self.lin.in_features, self.lin.out_features)
        return functional_call(layer, dict(self.named_parameters()), (nodes, edge_index))


@cache
def _layer(wide: int, narrow: int) -> "GCNConv":
    """A layer of torch_geometric without values of its own, which leaves no file behind.

    The first one of a process makes torch_geometric write the code of the layer to the folder for
    temporary files and import it from there. The file is not needed again, and is removed.
    """
    from torch_geometric.nn import GCNConv

    with torch.device("meta"):
        layer = GCNConv(wide, narrow)
    code = sys.modules[layer.propagate.__module__]
    for name in (code.__file__, code.__cached__):
        if name and code.__name__ in Path(name).name:  # as no file of an installed package is named
            Path(name).unlink(missing_ok=True)
    return layer
