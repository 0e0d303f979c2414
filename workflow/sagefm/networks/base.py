"""What all networks share: the gene decoder, and the loss."""

from torch import Tensor, nn
from torch.nn import functional

from sagefm.sections.batch import Batch


class GeneDecoder(nn.Module):
    """What all networks share: the gene decoder, its non-linearity, and the loss."""

    LOSS = "squared error"

    def __init__(self, n_genes: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.n_genes, self.widths = n_genes, tuple(widths)
        self.fc_gene = nn.Linear(self.widths[-1], n_genes)

    def decode(self, embedding: Tensor, *context: Tensor) -> Tensor:
        """Predicted expression (spots, genes) of embeddings (spots, widths[-1]).

        `context` is what a network needs besides (`Batch.context`); most need nothing.
        """
        return functional.relu(self.fc_gene(embedding))

    def loss(
        self, embedding: Tensor, target: Tensor, mask: Tensor, *context: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Sum of squared errors over the hidden entries (float32 scalar), and their number."""
        return squared_error(self.decode(embedding, *context), target, mask), mask.sum()


def squared_error(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Sum of squared errors over the hidden entries: float32 scalar."""
    return ((prediction.float() - target) * mask).square().sum()


def embed(network: GeneDecoder, batch: Batch) -> Tensor:
    """Embeddings (spots, width) of a batch's central spots, by the path its layout allows."""
    return getattr(network, f"embed_{batch.layout}")(*batch.inputs)


def predict(network: GeneDecoder, batch: Batch) -> Tensor:
    """Predicted expression (spots, genes) of a batch's central spots."""
    return network.decode(embed(network, batch), *batch.context)


def loss(network: GeneDecoder, batch: Batch) -> tuple[Tensor, Tensor]:
    """What a network is trained to lessen, summed over a batch, and what to divide it by."""
    return network.loss(embed(network, batch), batch.target, batch.mask, *batch.context)
