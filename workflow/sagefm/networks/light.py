"""Few linear programmes of genes by which a spot and its neighbours differ from their section."""

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
    """Programmes of genes: what a spot and its neighbours have more of than their section.

    The embedding is linear in two differences to the section's average spot: the spot's, and its
    neighbours' mean's, the latter with `NEIGHBOURS` times the weight. Its dimensions are the
    leading principal components of both together over the training sections, rotated by varimax,
    so that each rests on few genes. They stay fixed. What is trained is how genes follow from them:
    a linear decoder of the difference of the hidden genes, begun at the components.

    An encoder that was trained as well, linear or with a small network added, separated classes of
    patients held out no better (`docs/light.md`).
    """

    COMPONENTS = 20
    """Dimensions of the embedding, whatever the config's `widths` are."""

    NEIGHBOURS = 2.0
    """Weight of the neighbours' difference beside the spot's own."""

    VARIABLE_GENES = 2000
    """Genes that the components are taken of: those that vary most within sections."""

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
        """See `GeneDecoder`; no width is free."""
        return ()

    @property
    def programmes(self) -> Tensor:
        """See `GeneDecoder`."""
        return self.fc_gene.weight

    @property
    def programme_genes(self) -> Tensor:
        """See `GeneDecoder`: those that the embedding reads."""
        return (self.centre.ne(0) | self.neighbours.ne(0)).any(dim=1)

    def fit_input(self, draw: Callable[[], Chunk]) -> None:
        """Take the components of a sample of the training sections; the first has variance 1.

        Centred within sections, a gene that one did not measure is the same there at all spots, and
        tells it from no other.
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
        """Embeddings (spots, 20) of three (spots, genes) inputs.

        The spot's own expression, hidden genes as in `background`; the mean of its neighbours; the
        mean of the section's other spots.
        """
        own = (centre - background) @ self.centre
        return own + (neighbours - background) @ self.neighbours

    def decode(self, embedding: Tensor, *context: Tensor) -> Tensor:
        """Predicted expression (spots, genes); `context` begins with the section's mean."""
        return functional.relu(context[0] + self.fc_gene(embedding))
