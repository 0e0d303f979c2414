"""Imputation of genes missing from whole sections.

A share of the panel is removed from the counts of a whole section, as if a targeted panel had been
used. Predictions are compared with the complete section. Only genes that the section's source
measured are scored, as the others have no known truth. `released` draws and scores as in the
released code. Sections are streamed, one batch of spots at a time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from sagefm.imputation.baselines import depth_scaled_mean
from sagefm.imputation.released import PREDICTORS as RELEASED
from sagefm.imputation.released import can_draw_as_released, predict_as_released
from sagefm.imputation.tables import AS_RELEASED, SETTINGS
from sagefm.networks.fitted import FittedModel
from sagefm.sections.dense import make_batch
from sagefm.sections.section import Chunk, Section, draw_rows, measured_genes_of
from sagefm.stats.correlation import Moments, median, spot_scores

FIXED = ("systematic", "centre_only", "neighbour_mean", "gene_mean", "gene_mean_depth", "zero")
"""Predictors of a fixed set of genes: the model in each setting, and the untrained ones."""


@dataclass(frozen=True)
class ImputationPlan:
    """Genes to remove, and spots on which predictions are scored.

    Parameters
    ----------
    shares
        Shares of the panel to remove, between 0 and 1.
    settings
        Names from `tables.SETTINGS`.
    repeats
        Number of gene sets drawn per share.
    seed
        Seed for genes and spots.
    spots
        Maximum number of spots scored per section, drawn at random; None for all.
    batch_size
        Number of spots held as a dense matrix at once.
    """

    shares: Sequence[float]
    settings: Sequence[str] = ("systematic", "centre_only")
    repeats: int = 1
    seed: int = 9001
    spots: int | None = None
    batch_size: int = 128

    def genes(self, share: float, repeat: int, n_genes: int) -> np.ndarray:
        """Return the removed columns, sorted: int64 (round(share * n_genes),).

        They depend only on seed, repeat and share, so they are the same for every model and
        section. The genes of a share are included in those of any larger share.
        """
        turn = np.random.default_rng([self.seed, repeat]).permutation(n_genes)
        return np.sort(turn[: round(share * n_genes)])


def score_section(
    model: FittedModel, section: Section, gene_mean: np.ndarray, plan: ImputationPlan
) -> pd.DataFrame:
    """Remove genes from one section, predict them, and score the predictions.

    The truth is the expression of the complete section. The network's input is normalised after
    removing the genes: under `log1p_cp10k`, a spot is scaled by its remaining counts.

    Parameters
    ----------
    gene_mean
        (genes,): mean expression of each gene over the training samples.

    Returns
    -------
    DataFrame
        One row per share, repeat, setting and predictor: n_spots; n_genes (scored); mse, rmse; r2
        (1 - squared error / squared deviation from the mean of all scored entries); r2_spot (mean
        over spots of 1 - var(error) / var(truth), which a few spots with low counts may dominate);
        median_pearson and mean_pearson (over the genes that vary, and 0 if the prediction does not,
        so that all predictors are judged on the same genes); constant (share of genes with the same
        prediction at every spot). Expression is in log units. Rows of `as_released` are left out
        for models that `can_draw_as_released` excludes.
    """
    complete = model.chunk([section])
    rows = draw_rows(section, plan.spots, plan.seed)
    known = measured_genes_of(section.counts_path)
    batches = [rows[i : i + plan.batch_size] for i in range(0, len(rows), plan.batch_size)]
    fixed = [setting for setting in plan.settings if setting != AS_RELEASED]
    parts = []
    for repeat, share in product(range(plan.repeats), plan.shares):
        tables = []
        if fixed:
            missing = plan.genes(share, repeat, len(known))
            lacking = model.chunk([section], missing)
            chunks = complete, lacking
            found = (_predictions(model, chunks, own, missing, known, gene_mean) for own in batches)
            tables.append(_scores(FIXED, fixed, found))
        if AS_RELEASED in plan.settings and can_draw_as_released(model):
            draw = plan.seed, repeat + 1, share
            found = (
                predict_as_released(model, complete, own, draw, known, gene_mean) for own in batches
            )
            tables.append(_scores(RELEASED, [AS_RELEASED], found))
        parts += [table.assign(share=share, repeat=repeat, n_spots=len(rows)) for table in tables]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _predictions(
    model: FittedModel,
    chunks: tuple[Chunk, Chunk],
    rows: np.ndarray,
    missing: np.ndarray,
    known: np.ndarray,
    gene_mean: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth (rows, scored), `FIXED` (P, rows, scored) and a mask that is all true.

    Missing genes that the source measured are scored.
    """
    complete, lacking = chunks
    scored = missing[known[missing]]
    nothing = np.zeros((len(rows), len(gene_mean)), dtype=bool)
    centre = nothing.copy()
    centre[:, missing] = True
    batches = model.batch(lacking, rows, nothing), model.batch(complete, rows, centre)
    both = make_batch([(complete, rows)], "channels", nothing)
    stack = np.zeros((len(FIXED), len(rows), len(scored)), dtype=np.float32)
    for out, batch in zip(stack, batches, strict=False):
        out[:] = model.predict(batch).cpu().numpy()[:, scored]
    stack[2], stack[3] = both.inputs[1].numpy()[:, scored], gene_mean[scored]
    seen = known & ~np.isin(np.arange(len(known)), missing)
    visible = lacking.expression[rows].toarray()
    stack[4] = depth_scaled_mean(visible, seen, gene_mean, lacking.scaled)[:, scored]
    truth = both.target.numpy()[:, scored]
    return truth, stack, np.ones(truth.shape, dtype=bool)


def _scores(
    predictors: Sequence[str],
    settings: Sequence[str],
    found: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> pd.DataFrame:
    """Compute the scores of some settings.

    Parameters
    ----------
    predictors
        Names of the predictions, with the setting as the model's name: (P,).
    found
        Batches of truth (rows, genes), predictions (P, rows, genes) and missing entries (rows,
        genes). Only missing entries are scored.
    """
    moments, r2_spots = None, []
    for truth, predicted, missing in found:
        moments = moments or Moments.zeros(len(predictors), truth.shape[1])
        moments.add(truth, predicted, missing)
        r2_spots.append(spot_scores(truth, predicted, missing)[0])
    assert moments
    r2_spot = np.concatenate(r2_spots, axis=1)
    entries, error = moments.n.sum(), moments.squared_error().sum(axis=1)
    deviation = moments.xx.sum() - moments.x.sum() ** 2 / entries
    drawn = moments.n > 0
    variance = moments.yy[:, drawn] - moments.y[:, drawn] ** 2 / moments.n[drawn]
    constant = (variance <= 1e-10 * moments.yy[:, drawn]).mean(axis=1)
    r = np.nan_to_num(moments.pearson()[:, moments.varies()])
    rows = []
    for setting in settings:
        for predictor in SETTINGS[setting]:
            i = predictors.index(setting if predictor == "model" else predictor)
            rows.append(
                {
                    "setting": setting,
                    "predictor": predictor,
                    "n_genes": int(drawn.sum()),
                    "mse": error[i] / entries,
                    "rmse": np.sqrt(error[i] / entries),
                    "r2": 1 - error[i] / deviation,
                    "r2_spot": pd.Series(r2_spot[i]).mean(),
                    "median_pearson": median(r[i]),
                    "mean_pearson": r[i].mean() if r.shape[1] else np.nan,
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
    """Yield `score_section` of each section, with the section's facts from `seen.mark_seen`."""
    for section, about in zip(sections, facts, strict=True):
        scores = score_section(model, section, gene_mean, plan)
        yield scores.assign(**about)
