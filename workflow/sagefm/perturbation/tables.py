"""Effect of perturbing each pair's input on its output, compared with controls."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sagefm.perturbation.coexpression import Coexpression
from sagefm.perturbation.responses import KINDS, PairResponses, slope_weights
from sagefm.stats.correlation import benjamini_hochberg
from sagefm.stats.paired import sign_flips
from sagefm.stats.resampling import Patients, level_spearman

CONTROLS = KINDS[1:]
"""Kinds of control: other outputs of the table, random genes, expression-matched genes."""

FEWEST = 10
"""Minimum number of control genes for a standard deviation that effects are divided by."""


@dataclass(frozen=True)
class Slopes:
    """Slopes of the pairs' outputs and of their controls.

    Attributes
    ----------
    by_sample
        float64 (pairs, `KINDS`, samples): slopes of the outputs, and of the mean response of the
        controls.
    mean, spread, as_expected, unmoved
        float64 (pairs, `CONTROLS`), over single control genes: mean and standard deviation of their
        slopes (the latter NaN if it is 0, or with fewer than `FEWEST` genes), share of slopes with
        the pair's sign, and share of slopes that are 0, as for outputs predicted as 0 everywhere.
    """

    by_sample: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    as_expected: np.ndarray
    unmoved: np.ndarray


def pair_slopes(responses: PairResponses) -> Slopes:
    """Compute the slopes of all pairs and controls."""
    pairs = responses.pairs
    rows = pd.Index(responses.inputs).get_indexer(pairs["input"])
    columns = pd.Index(responses.outputs).get_indexer(pairs["output"])
    paired = np.zeros(responses.slopes.shape, dtype=bool)
    paired[rows, columns] = True
    unmatched = np.where(paired, np.nan, responses.slopes)[rows]
    sign = pairs["sign"].to_numpy()
    singles = (unmatched, *responses.control_slopes.transpose(1, 0, 2))
    found = zip(*(_over_genes(single, sign) for single in singles), strict=True)
    weights = slope_weights(responses.levels)[rows]
    by_sample = np.einsum("pl,pksl->pks", weights, responses.curves)
    return Slopes(by_sample, *(np.stack(column, axis=1) for column in found))


def _over_genes(slopes: np.ndarray, sign: np.ndarray) -> tuple[np.ndarray, ...]:
    """Each row's mean, standard deviation, share with its sign and share of 0, without NaN."""
    rows = np.ma.masked_invalid(slopes.astype(float))
    right, still = (
        np.ma.masked_array(holds, rows.mask)
        for holds in (rows.data * sign[:, None] > 0, rows.data == 0)
    )
    spread = np.ma.masked_where(rows.count(axis=1) < FEWEST, rows.std(axis=1, ddof=1))
    spread = np.ma.masked_equal(spread, 0)
    found = rows.mean(axis=1), spread, right.mean(axis=1), still.mean(axis=1)
    return tuple(np.ma.filled(one.astype(float), np.nan) for one in found)


def pair_table(
    responses: PairResponses, slopes: Slopes, coexpression: Coexpression, seed: int
) -> pd.DataFrame:
    """Compute each pair's effect in one direction.

    Parameters
    ----------
    responses, slopes
        Responses of the direction, and their `pair_slopes`.
    coexpression
        Co-expression in the same direction.
    seed
        Seed of resampling and of sign flips.

    Returns
    -------
    DataFrame
        input, output, sign, group; slope (change of the predicted output, log1p, per unit of the
        neighbours' input, log1p; mean over samples) with low and high (95% interval, bootstrap over
        patients); spearman (of level and mean response); as_expected (the slope has the pair's
        sign); unmoved (the slope is 0, because the model predicts the output as 0). For each
        control: slope_* (of its genes' mean response), as_expected_* and unmoved_* (shares of its
        genes), effect_* (slope minus the mean of the control genes' slopes, in their standard
        deviations; positive if as expected), p_* (sign flips over patients of the difference of
        slopes) and q_* (Benjamini-Hochberg over the pairs). coexpression_pooled and
        coexpression_within: see `coexpression.neighbour_correlation`.
    """
    patients, pairs = Patients.of(responses.samples), responses.pairs
    sign, means = pairs["sign"].to_numpy(), slopes.by_sample.mean(axis=2)
    slope = means[:, 0]
    low, high = patients.interval(slopes.by_sample[:, 0], seed)
    rows = pd.Index(responses.inputs).get_indexer(pairs["input"])
    table = pairs[["input", "output", "sign", "group"]].assign(
        slope=slope,
        low=low,
        high=high,
        spearman=level_spearman(responses.levels[rows], responses.curves[:, 0].mean(axis=1)),
        as_expected=slope * sign > 0,
        unmoved=slope == 0,
    )
    for number, control in enumerate(CONTROLS):
        difference = slopes.by_sample[:, 0] - slopes.by_sample[:, number + 1]
        spread = slopes.spread[:, number]
        p = sign_flips(patients.means(difference), seed)
        table[f"slope_{control}"] = means[:, number + 1]
        table[f"as_expected_{control}"] = slopes.as_expected[:, number]
        table[f"unmoved_{control}"] = slopes.unmoved[:, number]
        table[f"effect_{control}"] = sign * (slope - slopes.mean[:, number]) / spread
        table[f"p_{control}"] = p
        table[f"q_{control}"] = benjamini_hochberg(p)
    at = (
        pd.Index(coexpression.inputs).get_indexer(pairs["input"]),
        pd.Index(coexpression.outputs).get_indexer(pairs["output"]),
    )
    return table.assign(
        coexpression_pooled=coexpression.pooled[at], coexpression_within=coexpression.within[at]
    )


def with_reverse(forward: pd.DataFrame, reverse: pd.DataFrame) -> pd.DataFrame:
    """Add slopes and effects of the reverse experiment to the forward table of pairs.

    The columns reverse_slope, reverse_slope_* and reverse_effect_* (for each control) give the
    response of the input when the output is set to levels in the neighbours.
    """
    names = [
        "slope",
        *(f"{kind}_{control}" for kind in ("slope", "effect") for control in CONTROLS),
    ]
    added = reverse[names].add_prefix("reverse_")
    return pd.concat([forward, added], axis=1)


def level_table(responses: PairResponses, seed: int) -> pd.DataFrame:
    """Average the response of every pair and its controls over samples, at every level.

    Parameters
    ----------
    responses
        Responses of one direction.
    seed
        Seed of the resampling.

    Returns
    -------
    DataFrame
        input, output, kind (one of `KINDS`), step (from 1), level (of the input in the neighbours),
        response (predicted output, mean over samples), change (of the response from the lowest
        level) with low and high (95% interval, bootstrap over patients); all log1p.
    """
    pairs, curves = responses.pairs, np.moveaxis(responses.curves, 2, 3)
    steps = curves.shape[2]  # curves are (pairs, kinds, levels, samples)
    rows = pd.Index(responses.inputs).get_indexer(pairs["input"])
    change = curves - curves[:, :, :1]
    low, high = Patients.of(responses.samples).interval(change, seed)
    columns = {
        "response": curves.mean(axis=3, dtype=float),
        "change": change.mean(axis=3, dtype=float),
        "low": low,
        "high": high,
    }
    index = pd.MultiIndex.from_product([range(len(pairs)), KINDS, range(1, steps + 1)])
    pair, kind, step = (index.get_level_values(number) for number in range(3))
    names = pairs[["input", "output"]].iloc[pair].reset_index(drop=True)
    return names.assign(
        kind=kind,
        step=step,
        level=responses.levels[rows].astype(float)[pair, step - 1],
        **{name: values.ravel() for name, values in columns.items()},
    )
