"""Masked-gene recovery (claim 2): predict hidden genes with the model and untrained baselines.

Sections are read one at a time, and only sums per gene are kept. The pooled Spearman correlation
needs single values: those of at most `rank_spots` spots are kept in a scratch file.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from sagefm.common.io import require_space
from sagefm.networks.fitted import FittedModel
from sagefm.recovery.predictors import (
    DEPTH_DEGREE,
    EXPRESSION,
    PREDICTORS,
    RANKED,
    predictions,
)
from sagefm.recovery.sums import Recovery
from sagefm.sections.batches import Batches
from sagefm.sections.section import (
    Section,
    draw_rows,
    measured_genes_of,
    spot_names,
    spot_positions,
)
from sagefm.stats.correlation import Moments, masked_spearman, spot_scores
from sagefm.stats.partial import Covariates

MAP_PERCENTILES = {
    "best": 100,
    "95th percentile": 95,
    "upper quartile": 75,
    "median": 50,
    "lower quartile": 25,
    "5th percentile": 5,
}
"""Genes to map, by percentile of the model's correlation, from the best to poorly predicted ones.

Keys are the names of the positions."""


class Scratch:
    """Truth, mask and ranked predictions of spots, in files of a temporary folder."""

    def __init__(self, folder: Path, spots: int, genes: int) -> None:
        shape = (1 + len(RANKED), spots, genes)
        require_space(folder / "values", 4 * math.prod(shape) + spots * genes)
        self.mask = np.memmap(folder / "mask", bool, "w+", shape=(spots, genes))
        self.values = np.memmap(folder / "values", np.float32, "w+", shape=shape)
        self.filled = 0

    def add(self, truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray) -> None:
        """Append spots: truth and mask (spots, genes), and predictions of `EXPRESSION`.

        Values are rounded to 1e-5, so that means that differ only in their order of summing tie.
        """
        here = slice(self.filled, self.filled + len(truth))
        self.mask[here] = mask
        self.values[0, here] = truth
        self.values[1:, here] = predicted[: len(RANKED)].round(5)
        self.filled = here.stop

    def spearman(self, block: int = 512) -> tuple[np.ndarray, np.ndarray]:
        """Correlate in blocks of genes: (ranked predictors, genes), and pairs used: (genes,)."""
        parts, pairs = [], []
        for start in range(0, self.mask.shape[1], block):
            genes = slice(start, start + block)
            mask, values = self.mask[: self.filled, genes], self.values[:, : self.filled, genes]
            parts.append(masked_spearman(values[0], values[1:], mask))
            pairs.append(mask.sum(axis=0))
        return np.concatenate(parts, axis=1), np.concatenate(pairs)


def recover(
    model: FittedModel,
    sections: Sequence[Section],
    template: Batches,
    gene_mean: np.ndarray,
    facts: Sequence[dict],
    rank_spots: int,
    scratch: Path,
    every_gene: bool = False,
) -> Recovery:
    """Score a model and the baselines on the hidden entries of sections.

    Parameters
    ----------
    template
        Batches from `FittedModel.batches`, whose settings (masks, seed, ...) are used for each
        section in turn.
    gene_mean
        Mean expression of each gene over the training samples: (genes,).
    facts
        Facts of each section: sample, patient, organ, patient_seen.
    rank_spots
        Maximum number of spots ranked for the pooled Spearman correlation, drawn evenly over the
        sections.
    scratch
        Empty folder for at most 17 bytes per ranked spot and gene.
    every_gene
        Whether to score genes that a section did not measure too, with a truth of 0, as the paper
        does.
    """
    sizes = [section.n_spots() for section in sections]
    result = Recovery(genes=len(gene_mean))
    share = min(1.0, rank_spots / sum(sizes))
    store = Scratch(scratch, int(sum(-(-size * share // 1) for size in sizes)), len(gene_mean))
    for section, size, about in zip(sections, sizes, facts, strict=True):
        measured = every_gene | measured_genes_of(section.counts_path)
        ranked = np.zeros(size, dtype=bool)
        ranked[draw_rows(section, int(-(-size * share // 1)), template.seed)] = True
        shape = len(PREDICTORS), len(gene_mean)
        moments, given = Moments.zeros(*shape), Covariates.zeros(DEPTH_DEGREE, *shape)
        rows, done, detected = [], 0, np.zeros(len(gene_mean))
        batches = replace(template, sections=[section])
        for truth, hidden, predicted, blind, depth in predictions(model, batches, gene_mean):
            mask = hidden & measured
            moments.add(truth, predicted, mask, blind)
            given.add(truth, predicted, mask, depth, blind)
            detected += (mask & (truth > 0)).sum(axis=0)
            rows.append(spot_scores(truth, predicted, mask))
            chosen = ranked[done : done + len(truth)]
            store.add(truth[chosen], predicted[:, chosen], mask[chosen])
            done += len(truth)
        r2, mse = np.concatenate(rows, axis=2)
        spots = pd.DataFrame(
            {
                "sample": about["sample"],
                "spot": np.tile(spot_names(section.counts_path), len(EXPRESSION)),
                "predictor": np.repeat(EXPRESSION, size),
                "r2": r2.ravel(),
                "mse": mse.ravel(),
            }
        )
        result.add_section(about, moments, given, spots, detected)
    result.spearman[: len(RANKED)], result.spearman_n = store.spearman()
    return result


def recovery_maps(
    model: FittedModel,
    section: Section,
    template: Batches,
    genes: pd.DataFrame,
    gene_mean: np.ndarray,
) -> pd.DataFrame:
    """Compute true and predicted expression of a few genes at every spot of one section.

    `genes` has the columns gene, column (in the panel), and position and pearson (why the gene was
    chosen). These genes are hidden at every central spot, in addition to the randomly drawn ones.
    """
    columns = genes["column"].to_numpy()
    batches = replace(template, sections=[section], always_hidden=tuple(columns))
    parts = [
        np.stack([truth[:, columns], *predicted[:2, :, columns]])
        for truth, _, predicted, *_ in predictions(model, batches, gene_mean)
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
