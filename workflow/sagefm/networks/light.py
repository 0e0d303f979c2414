"""A few linear gene programmes by which a spot and its neighbours differ from their section."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from sagefm.networks.base import GeneDecoder
from sagefm.sections.section import Chunk

TITLE = "linear programmes of how a spot and its neighbours differ from their section"

LAYOUTS = {"*": "background"}

SIZES = (20, "genes")

FIXED = 40

LAYERS = {"fc_gene": "linear, section's mean added, ReLU"}

REFUSES_MISSING_GENES = "it predicts differences to the section's mean, and so 0"


class Network(GeneDecoder):
    """Linear gene programmes by which a spot and its neighbours differ from their section.

    The embedding is linear in two differences from the section's average spot: the spot's own, and
    that of its neighbours' mean with `NEIGHBOURS` times the weight. Its dimensions are the leading
    principal components of both together over the training sections. A varimax rotation makes each
    of them depend on few genes. They stay fixed. Training fits only a linear decoder from the
    embedding to the hidden genes' differences, starting at the components.

    An encoder that was also trained, linear or with a small network added, did not separate classes
    of held-out patients better (`docs/light.md`).
    """

    COMPONENTS = 20
    """Number of dimensions of the embedding, regardless of the config's `widths`."""

    NEIGHBOURS = 2.0
    """Weight of the neighbours' difference relative to the spot's own."""

    VARIABLE_GENES = 2000
    """Number of genes used for the components: those that vary most within sections."""

    centre: Tensor
    neighbours: Tensor

    def __init__(self, n_genes: int, widths: tuple[int, ...] = ()) -> None:
        super().__init__(n_genes, (self.COMPONENTS,))
        self.fc_gene.register_parameter("bias", None)
        nn.init.normal_(self.fc_gene.weight, std=0.01)
        for channel in ("centre", "neighbours"):
            self.register_buffer(channel, torch.zeros(n_genes, self.COMPONENTS))

    @classmethod
    def widths_of(cls, state: Mapping[str, Tensor]) -> tuple[int, ...]:
        """See `GeneDecoder`; all widths are fixed."""
        return ()

    @property
    def programmes(self) -> Tensor:
        """See `GeneDecoder`."""
        return self.fc_gene.weight

    @property
    def programme_genes(self) -> Tensor:
        """See `GeneDecoder`: genes that the embedding reads."""
        return (self.centre.ne(0) | self.neighbours.ne(0)).any(dim=1)

    def fit_input(self, draw: Callable[[], Chunk]) -> None:
        """Fit the components to a sample of the training sections, with unit variance of the first.

        Expression is centred within sections. A gene that a section did not measure is thus
        constant there and does not distinguish sections.
        """
        import numpy as np
        import scipy.sparse as sp

        from sagefm.stats.components import components_within, varimax
        from sagefm.stats.variable_genes import variable_genes

        chunk = draw()
        sections = chunk.owner(np.arange(len(chunk.spots)))
        genes = np.flatnonzero(variable_genes(chunk.expression, sections, self.VARIABLE_GENES))
        averages = sp.identity(len(sections), format="csr"), self.NEIGHBOURS * chunk.others()
        scores, loadings = components_within(
            chunk.expression[:, genes], averages, sections, self.COMPONENTS, seed=0
        )
        flat = loadings.reshape(len(loadings), -1)
        rotated = (varimax(flat) @ flat).reshape(loadings.shape).astype(np.float32)
        scale = scores[:, 0].std()
        with torch.no_grad():
            self.fc_gene.weight.zero_()
            for i, part in enumerate(rotated):
                own, others = map(torch.from_numpy, part)
                self.centre[genes, i] = own / scale
                self.neighbours[genes, i] = self.NEIGHBOURS * others / scale
                self.fc_gene.weight[genes, i] = own * scale

    def embed_background(self, centre: Tensor, neighbours: Tensor, background: Tensor) -> Tensor:
        """Return embeddings (spots, 20) from three (spots, genes) inputs.

        They are the spot's own expression, with hidden genes as in `background`, the mean of its
        neighbours, and the mean of the section's other spots.
        """
        own = (centre - background) @ self.centre
        return own + (neighbours - background) @ self.neighbours

    def decode(self, embedding: Tensor, *context: Tensor) -> Tensor:
        """Predict expression (spots, genes); `context` begins with the section's mean."""
        return functional.relu(context[0] + self.fc_gene(embedding))
