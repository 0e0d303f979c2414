"""Gene programmes that distinguish a spot from the average spot of its section."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sagefm.networks.base import GeneDecoder
from sagefm.sections.section import Chunk

TITLE = "a network of how a spot differs from its section"

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
    """Gene programmes that distinguish a spot from the average of its section, and their doses.

    Centre and neighbour mean are projected on principal components of the training sections, which
    stay fixed. The output of a small network is added to these scores; the sum is the embedding.
    Each of its dimensions is a programme: `fc_gene.weight` holds the log fold change of every gene
    per unit. Programmes act on the difference to the embedding of the section's average spot. An
    average spot is therefore predicted as the section's mean, whatever its patient or depth. The
    loss is the multinomial likelihood of the hidden counts, which does not depend on their total.

    `widths` are those of the small network's hidden layers; the embedding has 2 `COMPONENTS`.
    """

    COMPONENTS = 50
    """Principal components of each channel."""

    RATE_FLOOR = 1e-3
    """Rate added to every gene, so that none is 0 where the section's other spots lack it."""

    fill: Tensor
    centre_mean: Tensor
    centre_components: Tensor
    neighbours_mean: Tensor
    neighbours_components: Tensor

    def __init__(self, n_genes: int, widths: tuple[int, ...]) -> None:
        wide = 2 * self.COMPONENTS
        super().__init__(n_genes, (*widths, wide))
        self.fc_gene.register_parameter("bias", None)
        # Drawn although overwritten: otherwise a seed would no longer give the same weights.
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
        """See `GeneDecoder`; the last layer's width is fixed."""
        return super().widths_of(state)[:-1]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        """Also read older checkpoints without `fill`, where unmeasured genes were 0."""
        state_dict.setdefault(f"{prefix}fill", torch.zeros_like(self.fill))
        super()._load_from_state_dict(state_dict, prefix, *others)

    @property
    def unmeasured(self) -> Tensor | None:
        """See `GeneDecoder`: training means, if unmeasured genes were known in training."""
        return self.fill if self.fill.any() else None

    @property
    def programmes(self) -> Tensor:
        """See `GeneDecoder`."""
        return self.fc_gene.weight

    def fit_input(self, draw: Callable[[], Chunk]) -> None:
        """Fit the principal components of both channels, scaled to unit variance of the first.

        Genes that a section did not measure are replaced by their mean in the others, here and in
        every section read later. They count as 0 if the sections do not list their measured genes.
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
        """Return embeddings (spots, widths[-1]) from the inputs of `two_channel` (spots, genes).

        Hidden genes of `centre` have the values of the section's average spot; `log_fold` subtracts
        it.
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
        """Log fold change (spots, genes; float32) from the section's mean, up to a constant."""
        average = self.embed_background(background, background)
        return self.fc_gene(embedding - average).float()

    def decode(self, embedding: Tensor, *context: Tensor) -> Tensor:
        """Predict expression (spots, genes).

        Parameters
        ----------
        embedding
            (spots, widths[-1])
        context
            Mean expression and mean rate of the section's other spots, both (spots, genes), and the
            depth of each spot (spots,). A gene absent from these spots has rate 0, measured or not.
        """
        background, rate, _ = context
        level = background * rate.ne(0)
        fold, rate = self.log_fold(embedding, background), rate + self.RATE_FLOOR
        share = rate / rate.sum(dim=1, keepdim=True)
        fold = fold - torch.logsumexp(fold + share.log(), dim=1, keepdim=True)
        # Proportional to the fold change for rare genes, to its logarithm for abundant ones.
        return level * torch.log1p(rate * fold.exp()) / torch.log1p(rate)

    def loss(
        self, embedding: Tensor, target: Tensor, mask: Tensor, *context: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the negative log likelihood (nats; float32 scalar) and sum of hidden counts.

        The likelihood is multinomial over each spot's hidden genes, given their total count.
        `context` is that of `decode`.
        """
        background, rate, depth = context
        logits = self.log_fold(embedding, background) + (rate + self.RATE_FLOOR).log()
        log_share = torch.log_softmax(logits.masked_fill(~mask, -torch.inf), dim=1)
        counts = torch.expm1(target) * depth[:, None] * mask
        return -(log_share.masked_fill(~mask, 0) * counts).sum(), counts.sum()
