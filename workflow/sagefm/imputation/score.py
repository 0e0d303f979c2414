"""Imputation under systematic missingness: genes that no spot of a section has, predicted.

A share of the panel is taken out of the counts of a whole section, as if a targeted panel had been
used, and compared with what the complete section has. Only genes that the section's source has are
scored: of the others there is no truth. Sections stream through, a batch of spots at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import h5py
import numpy as np
import pandas as pd

from sagefm.imputation.tables import SETTINGS
from sagefm.networks.fitted import FittedModel
from sagefm.sections.batches import make_batch
from sagefm.sections.section import Chunk, Section, draw_rows
from sagefm.stats.correlation import Moments, median, spot_scores

_STACK = ("systematic", "centre_only", "neighbour_mean", "gene_mean", "zero")
"""What is predicted at once: by the model in each setting, and by what needs no training."""


@dataclass(frozen=True)
class ImputationPlan:
    """What is taken out, and of which spots the predictions are scored.

    Parameters
    ----------
    shares
        Of the panel, between 0 and 1.
    repeats
        Sets of genes drawn a share.
    seed
        Of genes and spots.
    spots
        Most spots scored a section, drawn at random; None for all.
    batch_size
        Spots held dense at once.
    """

    shares: Sequence[float]
    repeats: int = 1
    seed: int = 9001
    spots: int | None = None
    batch_size: int = 128

    def genes(self, share: float, repeat: int, n_genes: int) -> np.ndarray:
        """Columns taken out, sorted: int64 (round(share * n_genes),).

        A function of seed, repeat and share alone, so the same for every model and section; those
        of a share are among those of any larger one.
        """
        turn = np.random.default_rng([self.seed, repeat]).permutation(n_genes)
        return np.sort(turn[: round(share * n_genes)])


def in_source(section: Section) -> np.ndarray:
    """Which panel genes the source of a harmonised section has: bool (genes,)."""
    with h5py.File(section.counts_path) as file:
        return file["var/in_source"][:]


def score_section(
    model: FittedModel, section: Section, gene_mean: np.ndarray, plan: ImputationPlan
) -> pd.DataFrame:
    """Take genes out of one section, predict them, and score the predictions.

    The truth is the expression of the complete section. What the network sees is normalised after
    the genes are taken out: under `log1p_cp10k` a spot is scaled by the counts that are left.

    Parameters
    ----------
    gene_mean
        Mean expression of each gene over the training samples: (genes,).

    Returns
    -------
    DataFrame
        One row a share, repeat, setting and predictor: n_spots; n_genes (scored); mse, rmse; r2
        (1 - squared error / squared deviation from the mean of all scored entries); r2_spot (mean
        over spots of 1 - var(error) / var(truth), which a few spots of low counts may rule);
        median_pearson (over genes that vary on both sides); mean_pearson (over genes that vary, 0
        where the prediction does not, so that all predictors are judged by the same genes);
        constant (share of the genes that are predicted the same at every spot). Expression is in
        log units.
    """
    complete = model.chunk([section])
    rows, known = draw_rows(section, plan.spots, plan.seed), in_source(section)
    parts = []
    for repeat, share in product(range(plan.repeats), plan.shares):
        missing = plan.genes(share, repeat, len(known))
        lacking = model.chunk([section], missing)
        scored = missing[known[missing]]
        moments, r2_spot = Moments.zeros(len(_STACK), len(scored)), []
        for start in range(0, len(rows), plan.batch_size):
            batch = rows[start : start + plan.batch_size]
            both = (complete, lacking), batch, missing, scored
            truth, predicted = _predictions(model, *both, gene_mean)
            everywhere = np.ones(truth.shape, dtype=bool)
            moments.add(truth, predicted, everywhere)
            r2_spot.append(spot_scores(truth, predicted, everywhere)[0])
        table = _scores(moments, np.concatenate(r2_spot, axis=1))
        parts.append(table.assign(share=share, repeat=repeat, n_spots=len(rows)))
    return pd.concat(parts, ignore_index=True)


def _predictions(
    model: FittedModel,
    chunks: tuple[Chunk, Chunk],
    rows: np.ndarray,
    missing: np.ndarray,
    scored: np.ndarray,
    gene_mean: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Of some rows the truth (rows, scored), and `_STACK` (P, rows, scored)."""
    complete, lacking = chunks
    nothing = np.zeros((len(rows), len(gene_mean)), dtype=bool)
    centre = nothing.copy()
    centre[:, missing] = True
    seen = model.batch(lacking, rows, nothing), model.batch(complete, rows, centre)
    both = make_batch([(complete, rows)], "channels", nothing)
    stack = np.zeros((len(_STACK), len(rows), len(scored)), dtype=np.float32)
    for out, batch in zip(stack, seen, strict=False):
        out[:] = model.predict(batch).cpu().numpy()[:, scored]
    stack[2], stack[3] = both.inputs[1].numpy()[:, scored], gene_mean[scored]
    return both.target.numpy()[:, scored], stack


def _scores(moments: Moments, r2_spot: np.ndarray) -> pd.DataFrame:
    """Scores of `SETTINGS` from the sums of `_STACK` and its R2 of each spot (P, spots)."""
    entries, error = moments.n.sum(), moments.squared_error().sum(axis=1)
    deviation = moments.xx.sum() - moments.x.sum() ** 2 / entries
    variance = moments.yy - moments.y**2 / moments.n
    constant = (variance <= 1e-10 * moments.yy).mean(axis=1)
    r, varies = moments.pearson(), moments.varies()
    rows = []
    for setting, predictors in SETTINGS.items():
        for predictor in predictors:
            i = _STACK.index(setting if predictor == "model" else predictor)
            rows.append(
                {
                    "setting": setting,
                    "predictor": predictor,
                    "n_genes": r.shape[1],
                    "mse": error[i] / entries,
                    "rmse": np.sqrt(error[i] / entries),
                    "r2": 1 - error[i] / deviation,
                    "r2_spot": pd.Series(r2_spot[i]).mean(),
                    "median_pearson": median(r[i]),
                    "mean_pearson": np.nan_to_num(r[i, varies]).mean(),
                    "constant": constant[i],
                }
            )
    return pd.DataFrame(rows)


def score_sections(
    model: FittedModel,
    sections: Sequence[Section],
    facts: Sequence[Mapping],
    gene_mean: np.ndarray,
    plan: ImputationPlan,
) -> Iterator[pd.DataFrame]:
    """`score_section` of each section in turn, with its facts (of `seen.mark_seen`)."""
    for section, about in zip(sections, facts, strict=True):
        scores = score_section(model, section, gene_mean, plan)
        yield scores.assign(**about)
