"""Programmes of genes that set a spot apart from its section's average spot."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sagefm.networks.base import GeneDecoder
from sagefm.sections.section import Chunk

TITLE = "a network of what sets a spot apart from its section"

LAYOUTS = {"*": "background"}

SIZES = (100, "widths", 100, "genes")

FIXED = 103

LOSS = {
    "name": "multinomial",
    "words": "multinomial likelihood of the hidden counts",
    "axis": "nats a hidden count\n(multinomial)",
}

LAYERS = {"fc_gene": "linear, ReLU"}

REFUSES_MISSING_GENES = "it predicts differences to the section's mean, and so 0"


class Network(GeneDecoder):
    """What sets a spot apart from its section's average spot: programmes of genes, and their dose.

    Centre and neighbours' mean are read through principal components of the training sections,
    which stay fixed; what a small network makes of them is added to them, and that sum is the
    embedding. Each of its dimensions is a programme: `fc_gene.weight` holds every gene's log fold
    change for a unit of it. They act on the difference to the embedding of the section's average
    spot, so an average spot is predicted as the section's mean whatever its patient or depth; and
    the loss is the multinomial likelihood of the hidden counts, which does not ask how many there
    are.

    `widths` are those of the small network's hidden layers; the embedding has 2 `COMPONENTS`.
    """

    COMPONENTS = 50
    """Principal components of each channel."""

    RATE_FLOOR = 1e-3
    """Rate of a gene that the section's other spots lack."""

    fill: Tensor
    centre_mean: Tensor
    centre_components: Tensor
    neighbours_mean: Tensor
    neighbours_components: Tensor

    def __init__(self, n_genes: int, widths: tuple[int, ...]) -> None:
        wide = 2 * self.COMPONENTS
        super().__init__(n_genes, (*widths, wide))
        self.fc_gene.register_parameter("bias", None)
        # Drawn though overwritten: without it, the weights of a seed would be others than before.
        self.fc_gene.reset_parameters()
        nn.init.normal_(self.fc_gene.weight, std=0.01)
        self.register_buffer("fill", torch.zeros(n_genes))
        for channel in ("centre", "neighbours"):
            self.register_buffer(f"{channel}_mean", torch.zeros(n_genes))
            self.register_buffer(f"{channel}_components", torch.zeros(n_genes, self.COMPONENTS))
        self.hidden = nn.ModuleList(
            nn.Linear(wide, narrow)
            for wide, narrow in zip((wide, *widths), self.widths, strict=True)
        )

    @classmethod
    def widths_of(cls, state: Mapping[str, Tensor]) -> tuple[int, ...]:
        """See `GeneDecoder`; the last layer's width is not free."""
        return super().widths_of(state)[:-1]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        """Read checkpoints of before there was `fill` as well: unmeasured genes were 0."""
        state_dict.setdefault(f"{prefix}fill", torch.zeros_like(self.fill))
        super()._load_from_state_dict(state_dict, prefix, *others)

    @property
    def unmeasured(self) -> Tensor | None:
        """See `GeneDecoder`: the training mean, if unmeasured genes were told from zeros there."""
        return self.fill if self.fill.any() else None

    @property
    def programmes(self) -> Tensor:
        """See `GeneDecoder`."""
        return self.fc_gene.weight

    def fit_input(self, draw: Callable[[], Chunk]) -> None:
        """Take the principal components of both channels; the first of each has variance 1.

        Genes that a section did not measure count as their mean in the others, in every section
        that is read from then on as well; if the sections do not say what they measured, as 0.
        """
        import numpy as np

        from sagefm.stats.components import fill_unmeasured, principal_components

        chunk, fill = draw(), None
        if chunk.measured is not None and not chunk.measured.all():
            owner = chunk.owner(np.arange(len(chunk.spots)))
            fill = fill_unmeasured(chunk.expression, owner, chunk.measured)
        for channel, average in (("centre", None), ("neighbours", chunk.others())):
            found = principal_components(
                chunk.expression, self.COMPONENTS, seed=0, average=average, fill=fill
            )
            scores, loadings, mean = found
            scaled = torch.from_numpy((loadings / scores[:, 0].std()).T)
            getattr(self, f"{channel}_mean").copy_(torch.from_numpy(mean))
            getattr(self, f"{channel}_components")[:, : len(loadings)] = scaled
        if chunk.measured is not None:
            self.fill.copy_(self.centre_mean)

    def embed_background(self, centre: Tensor, neighbours: Tensor, *_: Tensor) -> Tensor:
        """Embeddings (spots, widths[-1]) of two (spots, genes) inputs, as of `two_channel`.

        Hidden genes of `centre` are as in the section's average spot, which enters by `log_fold`.
        """
        components = torch.cat(
            [
                (centre - self.centre_mean) @ self.centre_components,
                (neighbours - self.neighbours_mean) @ self.neighbours_components,
            ],
            dim=1,
        )
        hidden = components
        for i, layer in enumerate(self.hidden):
            hidden = layer(functional.leaky_relu(hidden) if i else hidden)
        return components + hidden

    def log_fold(self, embedding: Tensor, background: Tensor) -> Tensor:
        """Log fold change (spots, genes; float32) against the section's mean, up to a constant."""
        average = self.embed_background(background, background)
        return self.fc_gene(embedding - average).float()

    def decode(self, embedding: Tensor, *context: Tensor) -> Tensor:
        """Predicted expression (spots, genes).

        Parameters
        ----------
        embedding
            (spots, widths[-1])
        context
            Mean expression, and mean rate, of the section's other spots, both (spots, genes), and
            each spot's depth (spots,). The rate of a gene that they lack is 0, measured or not.
        """
        background, rate, _ = context
        level = background * rate.ne(0)
        fold, rate = self.log_fold(embedding, background), rate + self.RATE_FLOOR
        share = rate / rate.sum(dim=1, keepdim=True)
        fold = fold - torch.logsumexp(fold + share.log(), dim=1, keepdim=True)
        # In proportion to the fold change where a gene is rare, to its logarithm where it abounds.
        return level * torch.log1p(rate * fold.exp()) / torch.log1p(rate)

    def loss(
        self, embedding: Tensor, target: Tensor, mask: Tensor, *context: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Negative log likelihood of the hidden counts (nats; float32 scalar), and their number.

        Multinomial over each spot's hidden genes, given how many counts they have together;
        `context` is that of `decode`.
        """
        background, rate, depth = context
        logits = self.log_fold(embedding, background) + (rate + self.RATE_FLOOR).log()
        log_share = torch.log_softmax(logits.masked_fill(~mask, -torch.inf), dim=1)
        counts = torch.expm1(target) * depth[:, None] * mask
        return -(log_share.masked_fill(~mask, 0) * counts).sum(), counts.sum()
