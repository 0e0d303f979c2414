"""A graph convolution of torch_geometric, which leaves no file behind."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # seconds to import; only a network that convolves pays
    from torch_geometric.nn import GCNConv


def graph_convolution(wide: int, narrow: int) -> "GCNConv":
    """A graph convolution from `wide` to `narrow` features of a spot.

    The first one of a process makes torch_geometric write the code of the layer to the folder for
    temporary files and import it from there. The file is not needed again, and is removed.
    """
    from torch_geometric.nn import GCNConv

    layer = GCNConv(wide, narrow)
    code = sys.modules[layer.propagate.__module__]
    for name in (code.__file__, code.__cached__):
        if name and code.__name__ in Path(name).name:  # as no file of an installed package is named
            Path(name).unlink(missing_ok=True)
    return layer
