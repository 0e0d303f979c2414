"""A network initialised with the principal components of centre and neighbours.

A step towards `contrast`: it reads the input in the same way, with the paper's squared error.
"""

from torch import Tensor
from torch.nn import functional

from sagefm.networks.base import GeneDecoder
from sagefm.networks.contrast import Network as Contrast

TITLE = "a network begun at principal components"

LAYOUTS = {"*": "channels"}

SIZES = (100, "widths", 100, "genes")

FIXED = 103

LAYERS = {"fc_gene": "linear, mean added, ReLU"}


class Network(Contrast):
    """Principal components of centre and neighbours, followed by a small network."""

    loss = GeneDecoder.loss

    def embed_channels(self, centre: Tensor, neighbours: Tensor) -> Tensor:
        """Embeddings (spots, widths[-1]) of two (spots, genes) inputs; hidden genes are 0."""
        return self.embed_background(centre, neighbours)

    def decode(self, embedding: Tensor, *context: Tensor) -> Tensor:
        """Predicted expression (spots, genes): the training mean plus the embedding's part."""
        return functional.relu(self.centre_mean + self.fc_gene(embedding))
