"""What all networks share: the gene decoder, and the loss."""

from torch import Tensor, nn
from torch.nn import functional


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
