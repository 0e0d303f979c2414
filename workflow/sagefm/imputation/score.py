"""Imputation under systematic missingness: genes that no spot of a section has, predicted.

A share of the panel is taken out of the counts of a whole section, as if a targeted panel had been
used, and compared with what the complete section has. Only genes that the section's source measured
are scored: of the others there is no truth. `released` draws and scores as the released code does.
Sections stream through, a batch of spots at a time.
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
"""What is predicted at once of a fixed set of genes: by the model in each setting, and by what
needs no training."""


@dataclass(frozen=True)
class ImputationPlan:
    """What is taken out, and of which spots the predictions are scored.

    Parameters
    ----------
    shares
        Of the panel, between 0 and 1.
    settings
        Of `tables.SETTINGS`.
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
    settings: Sequence[str] = ("systematic", "centre_only")
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
        median_pearson and mean_pearson (over the genes that vary, 0 where the prediction does not,
        so that all predictors are judged by the same genes); constant (share of the genes that are
        predicted the same at every spot). Expression is in log units. Rows of `as_released` are
        left out for a model that `can_draw_as_released` excludes.
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
    """Of some rows the truth (rows, scored), `FIXED` (P, rows, scored), and that all are missing.

    Scored are the missing genes that the source has.
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
    """Scores of some settings.

    Parameters
    ----------
    predictors
        What is predicted, the model under the name of the setting: (P,).
    found
        A batch at a time: truth (rows, genes), predictions (P, rows, genes), missing entries
        (rows, genes), which alone are scored.
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
    """`score_section` of each section in turn, with its facts (of `seen.mark_seen`)."""
    for section, about in zip(sections, facts, strict=True):
        scores = score_section(model, section, gene_mean, plan)
        yield scores.assign(**about)
