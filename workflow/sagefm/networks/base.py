"""Parts shared by all networks: the gene decoder, the loss, and the function that builds one."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from sagefm.networks.registry import DECODER, NETWORKS
from sagefm.sections.batch import Batch
from sagefm.sections.section import Chunk

WIDTHS = (1024, 512, 512, 512, 1024)
"""Output widths of the paper's five layers; the last is the width of the embedding."""


class GeneDecoder(nn.Module):
    """A network: an encoder of the subclass, then a linear layer and a ReLU that predict genes.

    A subclass has a method `embed_{layout}` for each layout of its file's `LAYOUTS`.

    Parameters
    ----------
    n_genes
        Genes of the panel.
    widths
        Layer widths, as the subclass defines them; the last is the width of the embedding.
    encoder
        Layers by name. They come before the decoder when weights are drawn and in the list of
        parameters, so also in the optimiser's state. A subclass can add its layers afterwards
        instead.
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
        """Return the `widths` behind a state dict: lengths of all biases except the decoder's."""
        return tuple(
            len(state[name])
            for name in state
            if name.endswith("bias") and not name.startswith(DECODER)
        )

    def fit_input(self, draw: Callable[[], Chunk]) -> None:
        """Fit the parts that are not trained, before training; most networks have none.

        Parameters
        ----------
        draw
            Function that reads a random sample of the training sections.
        """

    @property
    def fits_input(self) -> bool:
        """Whether `fit_input` fits anything."""
        return type(self).fit_input is not GeneDecoder.fit_input

    @property
    def unmeasured(self) -> Tensor | None:
        """Input values (genes,) for genes that a section did not measure.

        None for a network that reads such genes as 0.
        """
        return None

    @property
    def programmes(self) -> Tensor | None:
        """Log fold change of each gene per unit of each embedding dimension.

        Shape (genes, widths[-1]); None for a network whose embedding does not consist of
        programmes.
        """
        return None

    @property
    def programme_genes(self) -> Tensor | None:
        """Mask of genes that can be part of a programme: bool (genes,); None without programmes."""
        return None if self.programmes is None else self.programmes.ne(0).any(dim=1)

    def decode(self, embedding: Tensor, *context: Tensor) -> Tensor:
        """Predict expression (spots, genes) from embeddings (spots, widths[-1]).

        `context` holds further inputs of the network (`Batch.context`); most networks use none.
        """
        return functional.relu(self.fc_gene(embedding))

    def loss(
        self, embedding: Tensor, target: Tensor, mask: Tensor, *context: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the summed squared error over hidden entries (float32 scalar) and their number."""
        return squared_error(self.decode(embedding, *context), target, mask), mask.sum()


def squared_error(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the sum of squared errors over the hidden entries: float32 scalar."""
    return ((prediction.float() - target) * mask).square().sum()


def embed(network: GeneDecoder, batch: Batch) -> Tensor:
    """Return embeddings (spots, width) of a batch's central spots, by the method for its layout."""
    return getattr(network, f"embed_{batch.layout}")(*batch.inputs)


def predict(network: GeneDecoder, batch: Batch) -> Tensor:
    """Predict expression (spots, genes) of a batch's central spots."""
    return network.decode(embed(network, batch), *batch.context)


def loss(network: GeneDecoder, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the training loss, summed over a batch, and the number to divide it by."""
    return network.loss(embed(network, batch), batch.target, batch.mask, *batch.context)


def network_class(name: str) -> type[GeneDecoder]:
    """Return the class of a network, by name.

    Raises
    ------
    InputError
        If there is no such network.
    """
    return NETWORKS.load(name).Network


def build_network(
    name: str, n_genes: int, widths: tuple[int, ...] = WIDTHS, *, seed: int | None = None
) -> GeneDecoder:
    """Build a freshly initialised network; `seed` fixes its weights without changing global state.

    Raises
    ------
    InputError
        If there is no such network.
    """
    with torch.random.fork_rng(enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        return network_class(name)(n_genes, tuple(widths))
