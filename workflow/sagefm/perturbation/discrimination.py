"""Discrimination of pairs from all other entries (input, output) of a table.

Entries are ranked by the slopes of a model, by co-expression without a model, by expression alone,
and by the residual of the slopes after accounting for these.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from sagefm.perturbation.coexpression import Coexpression
from sagefm.perturbation.responses import PairResponses
from sagefm.perturbation.terms import REMAINDER
from sagefm.stats.correlation import correlation
from sagefm.stats.ranking import ranking
from sagefm.stats.resampling import BOOTSTRAPS, resampling, with_intervals

SCORES = ("slope", "coexpression_pooled", "coexpression_within", "output_mean", REMAINDER)


def discrimination_table(
    responses: PairResponses, coexpression: Coexpression, gene_means: pd.Series, seed: int
) -> pd.DataFrame:
    """Measure how well each score ranks the pairs above the other entries, in one direction.

    Entries are all combinations of an input and an output for which every score is known. Pairs of
    negative sign are excluded, because a low slope is expected of them.

    Parameters
    ----------
    responses, coexpression
        Responses and co-expression in the same direction.
    gene_means
        Mean expression of the table's genes.
    seed
        Seed of the resampling.

    Returns
    -------
    DataFrame
        score: `slope`, `coexpression_pooled`, `coexpression_within`, `output_mean` (expression of
        the output), or `slope_remainder` (residual of the slope's ranks after linear regression on
        the ranks of both co-expressions and of the mean expression of input and output); auroc,
        average_precision; slope_advantage (AUROC of the slope minus the score's); spearman_slope
        (correlation with the slope over all entries); each with *_low and *_high (95% interval,
        bootstrap over inputs without ranking again). n_inputs, n_outputs, n_entries, n_pairs,
        prevalence.
    """
    scores, pairs = _entries(responses, coexpression, gene_means)
    known = np.logical_and.reduce([np.isfinite(values) for values in scores.values()])
    lowering = responses.pairs["sign"].to_numpy() < 0
    known[pairs[0][lowering], pairs[1][lowering]] = False
    positive = np.zeros_like(known)
    positive[pairs] = True
    positive &= known
    counts = {
        "n_inputs": int(known.any(axis=1).sum()),
        "n_outputs": int(known.any(axis=0).sum()),
        "n_entries": int(known.sum()),
        "n_pairs": int(positive.sum()),
        "prevalence": positive.sum() / max(known.sum(), 1),
    }
    ranks = {name: stats.rankdata(values[known]) for name, values in scores.items()}
    scores[REMAINDER] = np.full(known.shape, np.nan)
    scores[REMAINDER][known] = _remainder(ranks)
    ranks[REMAINDER] = stats.rankdata(scores[REMAINDER][known])
    n = len(known)
    weights = np.vstack([np.ones((1, n)), resampling(n, BOOTSTRAPS, seed)])
    rankings = {name: ranking(scores[name], positive, known, weights) for name in SCORES}
    rows = []
    for name, (auroc, precision) in rankings.items():
        spearman = _weighted_correlation(ranks["slope"], ranks[name], known, weights)
        found = {
            "auroc": auroc,
            "average_precision": precision,
            "slope_advantage": rankings["slope"][0] - auroc,
            "spearman_slope": spearman,
        }
        rows.append({"score": name} | with_intervals(found) | counts)
    return pd.DataFrame(rows)


def _entries(
    responses: PairResponses, coexpression: Coexpression, gene_means: pd.Series
) -> tuple[dict[str, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Scores (inputs, outputs) by name, and rows and columns of the pairs."""
    inputs, outputs = pd.Index(responses.inputs), pd.Index(responses.outputs)
    pooled, within = coexpression.of(inputs, outputs)
    shape = responses.slopes.shape
    scores = {
        "slope": responses.slopes.astype(float),
        "coexpression_pooled": pooled.astype(float),
        "coexpression_within": within.astype(float),
        "output_mean": np.broadcast_to(gene_means[outputs].to_numpy(float), shape),
        "input_mean": np.broadcast_to(gene_means[inputs].to_numpy(float)[:, None], shape),
    }
    pairs = responses.pairs
    return scores, (inputs.get_indexer(pairs["input"]), outputs.get_indexer(pairs["output"]))


def _remainder(ranks: Mapping[str, np.ndarray]) -> np.ndarray:
    """Residuals of the slope's ranks after least squares on all other ranks and a constant."""
    others = [values for name, values in ranks.items() if name != "slope"]
    design = np.stack([np.ones_like(ranks["slope"]), *others], axis=1)
    fitted = np.linalg.lstsq(design, ranks["slope"], rcond=None)[0]
    return ranks["slope"] - design @ fitted


def _weighted_correlation(
    x: np.ndarray, y: np.ndarray, known: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Pearson correlation (draws,) over the known entries, with rows weighted."""
    row = np.nonzero(known)[0]
    # Centred, so that sums of squared ranks lose no digits.
    x, y = (side - side.sum() / max(len(side), 1) for side in (x, y))
    sums = [
        weights @ np.bincount(row, weights=part, minlength=len(known))
        for part in (np.ones_like(x), x, y, x * x, y * y, x * y)
    ]
    return correlation(*sums)
