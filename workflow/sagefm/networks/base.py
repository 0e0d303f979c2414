"""What all networks share: the gene decoder, the loss, and how one is built."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from sagefm.networks.registry import DECODER, NETWORKS
from sagefm.sections.batch import Batch
from sagefm.sections.section import Chunk

WIDTHS = (1024, 512, 512, 512, 1024)
"""Output widths of the paper's five layers; the last is the embedding's."""


class GeneDecoder(nn.Module):
    """A network: an encoder of the subclass, then a linear layer and a ReLU that predict genes.

    A subclass has a method `embed_{layout}` for each layout of its file's `LAYOUTS`.

    Parameters
    ----------
    n_genes
        Genes of the panel.
    widths
        See the subclass; the last is the embedding's.
    encoder
        Layers by name that precede the decoder: in the draw of weights, among the parameters and
        so in the optimiser's state. A subclass may as well add its layers afterwards.
    """

    def __init__(
        self,
        n_genes: int,
        widths: tuple[int, ...],
        encoder: Mapping[str, nn.Module] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self.n_genes, self.widths = n_genes, tuple(widths)
        for name, layer in encoder.items():
            self.add_module(name, layer)
        self.fc_gene = nn.Linear(self.widths[-1], n_genes)

    @classmethod
    def widths_of(cls, state: Mapping[str, Tensor]) -> tuple[int, ...]:
        """The `widths` a state dict was built with: its biases' lengths, the decoder's left out."""
        return tuple(
            len(state[name])
            for name in state
            if name.endswith("bias") and not name.startswith(DECODER)
        )

    def fit_input(self, draw: Callable[[], Chunk]) -> None:
        """Fit what is not trained, before training begins; most networks have nothing to fit.

        Parameters
        ----------
        draw
            Reads a random sample of the training sections.
        """

    @property
    def fits_input(self) -> bool:
        """Whether `fit_input` fits anything."""
        return type(self).fit_input is not GeneDecoder.fit_input

    @property
    def unmeasured(self) -> Tensor | None:
        """What a gene counts as, in the input, where a section did not measure it: (genes,).

        None for a network that reads it as 0.
        """
        return None

    @property
    def programmes(self) -> Tensor | None:
        """Each gene's log fold change for one unit of each dimension of the embedding.

        (genes, widths[-1]); None for a network whose embedding is not made of such programmes.
        """
        return None

    @property
    def programme_genes(self) -> Tensor | None:
        """Genes that the programmes could be made of: bool (genes,); None without programmes."""
        return None if self.programmes is None else self.programmes.ne(0).any(dim=1)

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


def network_class(name: str) -> type[GeneDecoder]:
    """The class of a network, by its name.

    Raises
    ------
    InputError
        If there is no such network.
    """
    return NETWORKS.load(name).Network


def build_network(
    name: str, n_genes: int, widths: tuple[int, ...] = WIDTHS, *, seed: int | None = None
) -> GeneDecoder:
    """A freshly initialised network; `seed` fixes its weights without touching global state.

    Raises
    ------
    InputError
        If there is no such network.
    """
    with torch.random.fork_rng(enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        return network_class(name)(n_genes, tuple(widths))
