"""Masked-gene recovery (claim 2): how well hidden genes are predicted, beside untrained baselines.

Sections stream through; only sums per gene are kept. Only the pooled Spearman correlation needs
values side by side: those of at most `rank_spots` spots lie in a scratch file while it is computed.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from sagefm.common.io import require_space
from sagefm.networks.fitted import FittedModel
from sagefm.sections.batches import Batches
from sagefm.sections.section import Section, draw_rows, spot_names, spot_positions
from sagefm.stats.correlation import Moments, masked_spearman, median, p_value, spot_scores

PREDICTORS = ("model", "neighbour_mean", "sample_gene_mean", "gene_mean", "zero")
"""The model; the mean of the neighbours' expression; the gene's mean over the entries of the
sample that are not hidden; its mean over the training samples; nothing."""

RANKED = PREDICTORS[:3]
"""Predictors that vary over a cohort; of the others no correlation is defined."""

MAP_PERCENTILES = {
    "best": 100,
    "95th percentile": 95,
    "upper quartile": 75,
    "median": 50,
    "lower quartile": 25,
    "5th percentile": 5,
}
"""Genes to map, by percentile of the model's correlation: bad ones are shown beside good ones."""


SEEN = {True: "seen", False: "unseen", pd.NA: "unknown"}
"""Strata of patients, by what `seen.mark_seen` says of them."""


@dataclass
class Recovery:
    """Everything summed up over a cohort's sections.

    `strata` maps (kind, value) to `Moments`; `detected` counts hidden entries above 0 a gene;
    `within_r`, `within_n`, `within_hits` (P, genes) sum over samples the correlation, its being
    defined, and its being positive at p < 0.05; `samples` and `spots` are rows of tables.
    """

    genes: int
    strata: dict[tuple[str, str], Moments] = field(default_factory=dict)
    members: dict[tuple[str, str], list[dict]] = field(default_factory=dict)
    samples: list[dict] = field(default_factory=list)
    spots: list[pd.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.detected = np.zeros(self.genes)
        self.within_r, self.within_n, self.within_hits = np.zeros((3, len(PREDICTORS), self.genes))
        self.spearman = np.full((len(PREDICTORS), self.genes), np.nan)
        self.spearman_n = np.zeros(self.genes)

    def add_section(self, facts: dict, moments: Moments, spots: pd.DataFrame) -> None:
        """Add one section: facts (sample, patient, organ, patient_seen), its sums and spots."""
        r = moments.pearson()
        p = p_value(r, moments.n)
        self.within_r += np.nan_to_num(r)
        self.within_n += ~np.isnan(r)
        self.within_hits += (r > 0) & (p < 0.05)
        seen = SEEN[facts["patient_seen"]]
        for key in (("all", "all"), ("organ", facts["organ"]), ("patients", seen)):
            empty = Moments.zeros(len(PREDICTORS), self.genes)
            self.strata.setdefault(key, empty).__iadd__(moments)
            self.members.setdefault(key, []).append({**facts, "spots": spots})
        self.spots.append(spots)
        hidden = moments.n.sum()
        tested, squared_error = moments.varies(), moments.squared_error()
        for i, predictor in enumerate(PREDICTORS):
            own = spots[spots["predictor"] == predictor]
            mse = squared_error[i].sum() / hidden
            self.samples.append(
                {
                    **facts,
                    "predictor": predictor,
                    "n_spots": len(own),
                    "n_genes_tested": int(tested.sum()),
                    "recovered_p05": ((r[i] > 0) & (p[i] < 0.05)).sum() / max(tested.sum(), 1),
                    "median_pearson": median(r[i]),
                    "mse": mse,
                    "rmse": np.sqrt(mse),
                    "r2_spot_mean": own["r2"].mean(),
                }
            )


class Scratch:
    """Truth, mask and ranked predictions of some spots, in files of a folder that is removed."""

    def __init__(self, folder: Path, spots: int, genes: int) -> None:
        shape = (1 + len(RANKED), spots, genes)
        require_space(folder / "values", 4 * math.prod(shape) + spots * genes)
        self.mask = np.memmap(folder / "mask", bool, "w+", shape=(spots, genes))
        self.values = np.memmap(folder / "values", np.float32, "w+", shape=shape)
        self.filled = 0

    def add(self, truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray) -> None:
        """Append spots: truth and mask (spots, genes), predicted (P, spots, genes).

        Rounded to 1e-5, so that means that are equal but for the order of summing tie.
        """
        here = slice(self.filled, self.filled + len(truth))
        self.mask[here] = mask
        self.values[0, here] = truth
        self.values[1:, here] = predicted[: len(RANKED)].round(5)
        self.filled = here.stop

    def spearman(self, block: int = 512) -> tuple[np.ndarray, np.ndarray]:
        """Correlation (ranked predictors, genes) and pairs (genes,), some genes at a time."""
        parts, pairs = [], []
        for start in range(0, self.mask.shape[1], block):
            genes = slice(start, start + block)
            mask, values = self.mask[: self.filled, genes], self.values[:, : self.filled, genes]
            parts.append(np.stack([masked_spearman(values[0], y, mask) for y in values[1:]]))
            pairs.append(mask.sum(axis=0))
        return np.concatenate(parts, axis=1), np.concatenate(pairs)


def predictions(
    model: FittedModel, batches: Batches, gene_mean: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Of one section's batches: truth, mask (spots, genes) and `PREDICTORS` (P, spots, genes)."""
    channels = replace(batches, layout="channels")
    visible, total = 0.0, 0.0
    for batch in channels.epoch(0):
        shown = ~batch.mask.numpy()
        visible = visible + shown.sum(axis=0)
        total = total + (batch.target.numpy() * shown).sum(axis=0, dtype=np.float64)
    sample_mean = np.divide(total, visible, out=np.zeros_like(total), where=visible > 0)
    for batch, both in zip(batches.epoch(0), channels.epoch(0), strict=True):
        predicted = model.predict(batch.to(model.device)).cpu().numpy()
        truth = batch.target.numpy()
        stack = np.zeros((len(PREDICTORS), *truth.shape), dtype=np.float32)
        stack[0], stack[1] = predicted, both.inputs[1].numpy()
        stack[2], stack[3] = sample_mean, gene_mean
        yield truth, batch.mask.numpy(), stack


def recover(
    model: FittedModel,
    sections: Sequence[Section],
    template: Batches,
    gene_mean: np.ndarray,
    facts: Sequence[dict],
    rank_spots: int,
    scratch: Path,
) -> Recovery:
    """Score a model and the baselines on the hidden entries of some sections.

    Parameters
    ----------
    template
        Of `FittedModel.batches`: its settings (masks, seed, ...) are used for each section in turn.
    gene_mean
        Mean expression of each gene over the training samples: (genes,).
    facts
        Of each section: sample, patient, organ, patient_seen.
    rank_spots
        Most spots ranked for the pooled Spearman correlation, drawn evenly over the sections.
    scratch
        An empty folder for at most 17 bytes a ranked spot and gene.
    """
    sizes = [section.n_spots() for section in sections]
    result = Recovery(genes=len(gene_mean))
    share = min(1.0, rank_spots / sum(sizes))
    store = Scratch(scratch, int(sum(-(-size * share // 1) for size in sizes)), len(gene_mean))
    for section, size, about in zip(sections, sizes, facts, strict=True):
        ranked = np.zeros(size, dtype=bool)
        ranked[draw_rows(section, int(-(-size * share // 1)), template.seed)] = True
        moments = Moments.zeros(len(PREDICTORS), len(gene_mean))
        rows, done = [], 0
        batches = replace(template, sections=[section])
        for truth, mask, predicted in predictions(model, batches, gene_mean):
            moments.add(truth, predicted, mask)
            result.detected += (mask & (truth > 0)).sum(axis=0)
            rows.append(spot_scores(truth, predicted, mask))
            chosen = ranked[done : done + len(truth)]
            store.add(truth[chosen], predicted[:, chosen], mask[chosen])
            done += len(truth)
        r2, mse = np.concatenate(rows, axis=2)
        spots = pd.DataFrame(
            {
                "sample": about["sample"],
                "spot": np.tile(spot_names(section.counts_path), len(PREDICTORS)),
                "predictor": np.repeat(PREDICTORS, size),
                "r2": r2.ravel(),
                "mse": mse.ravel(),
            }
        )
        result.add_section(about, moments, spots)
    result.spearman[: len(RANKED)], result.spearman_n = store.spearman()
    return result


def recovery_maps(
    model: FittedModel,
    section: Section,
    template: Batches,
    genes: pd.DataFrame,
    gene_mean: np.ndarray,
) -> pd.DataFrame:
    """True and predicted expression of a few genes at every spot of one section.

    `genes` has columns gene, column (of the panel), position and pearson (why it was chosen). Each
    is hidden at every central spot, besides those that are drawn.
    """
    columns = genes["column"].to_numpy()
    batches = replace(template, sections=[section], always_hidden=tuple(columns))
    parts = [
        np.stack([truth[:, columns], *predicted[:2, :, columns]])
        for truth, _, predicted in predictions(model, batches, gene_mean)
    ]
    truth, predicted, neighbour_mean = np.concatenate(parts, axis=1)
    coordinates, _ = spot_positions(section.counts_path)
    names = spot_names(section.counts_path)
    rows = [
        pd.DataFrame(
            {
                "sample": section.sample,
                "spot": names,
                "x_pixels": coordinates[:, 0],
                "y_pixels": coordinates[:, 1],
                "gene": gene.gene,
                "position": gene.position,
                "pearson": gene.pearson,
                "truth": truth[:, i],
                "predicted": predicted[:, i],
                "neighbour_mean": neighbour_mean[:, i],
            }
        )
        for i, gene in enumerate(genes.itertuples())
    ]
    return pd.concat(rows, ignore_index=True)
