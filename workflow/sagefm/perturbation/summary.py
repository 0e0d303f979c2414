"""Do pairs respond more than their controls, and more than in reverse? One row a comparison."""

import numpy as np
import pandas as pd
from scipy import stats

from sagefm.perturbation.coexpression import Coexpression
from sagefm.perturbation.discrimination import discrimination_table
from sagefm.perturbation.responses import PairResponses
from sagefm.perturbation.tables import (
    CONTROLS,
    Slopes,
    level_table,
    pair_slopes,
    pair_table,
    with_reverse,
)
from sagefm.perturbation.terms import BETWEEN, FORWARD, REVERSE
from sagefm.stats.paired import holm, sign_flips
from sagefm.stats.patients import count_seen
from sagefm.stats.resampling import Patients


def summarise_pairs(
    responses: tuple[PairResponses, PairResponses],
    coexpression: tuple[Coexpression, Coexpression],
    genes: pd.DataFrame,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Every table of the perturbation of a pair table.

    Parameters
    ----------
    responses, coexpression
        Forward, and in reverse: the same pairs, input and output exchanged.
    genes
        The pair table, with the mean expression of its genes: input, output, input_mean,
        output_mean.
    seed
        Of resampling and of sign flips.

    Returns
    -------
    dict
        pairs (`tables.pair_table` of the forward direction, `with_reverse`), levels
        (`level_table`) and discrimination (`discrimination_table`), both with a column
        direction, summary (`response_summary`).
    """
    slopes = pair_slopes(responses[0]), pair_slopes(responses[1])
    forward, reverse = (
        pair_table(*own, seed) for own in zip(responses, slopes, coexpression, strict=True)
    )
    both = pd.concat(
        [genes.set_index("input")["input_mean"], genes.set_index("output")["output_mean"]]
    )
    means = both[~both.index.duplicated()]
    levels, discrimination = {}, {}
    for direction, own, correlation in zip(
        (FORWARD, REVERSE), responses, coexpression, strict=True
    ):
        levels[direction] = level_table(own, seed)
        discrimination[direction] = discrimination_table(own, correlation, means, seed)
    return {
        "pairs": with_reverse(forward, reverse),
        "levels": _stacked(levels),
        "summary": response_summary(responses[0], slopes, (forward, reverse), seed),
        "discrimination": _stacked(discrimination),
    }


def _stacked(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, names=["direction"]).reset_index(level=0).reset_index(drop=True)


GREATEST = 10.0
"""An effect counts for no more standard deviations: control genes may hardly move at all."""


def response_summary(
    responses: PairResponses,
    slopes: tuple[Slopes, Slopes],
    tables: tuple[pd.DataFrame, pd.DataFrame],
    seed: int,
) -> pd.DataFrame:
    """Matched outputs against each control, forward and in reverse, and the two directions.

    All differences count in the direction that the pairs' signs expect.

    Parameters
    ----------
    responses
        Of the forward direction: its pairs and samples are those of both.
    slopes, tables
        `tables.pair_slopes` and `pair_table`, forward and reverse.
    seed
        Of resampling and of sign flips.

    Returns
    -------
    DataFrame
        direction (`forward`, `reverse`, `forward less reverse`), control; measure (`slope`, or
        `effect` between the directions: slopes in standard deviations of the control genes', of
        which no more than `GREATEST` count);
        matched and reference (means over the pairs that have a difference: of the control, or of
        the reverse direction);
        difference with low and high (95 %, bootstrap over patients, the pairs given), its median
        over pairs, cohens_d_z (mean over standard deviation, over pairs), share_above (of pairs);
        p (Wilcoxon signed-rank over inputs, each the mean of its pairs), p_holm (over the controls
        of the direction), the test's effect size rank_biserial (-1 to 1; above 0 if pairs are above
        their reference), p_patients (sign flips over patients of the mean difference);
        share_as_expected and share_unmoved (pairs whose slope has the expected sign, or is 0), with
        *_control of single control genes; share_above_q05 and share_below_q05 (pairs above and
        below their control at a false discovery rate of 5 %); n_pairs, n_inputs, n_samples,
        n_patients, n_patients_seen, n_patients_unknown (whether they were seen), n_spots.
    """
    patients, sign = Patients.of(responses.samples), responses.pairs["sign"].to_numpy()
    inputs = responses.pairs["input"].to_numpy()
    rows = []
    standard = []
    for direction, own, table in zip((FORWARD, REVERSE), slopes, tables, strict=True):
        # In reverse, the pairs of one input are those that read the same gene.
        signed = sign[:, None, None] * own.by_sample
        differences = signed[:, :1] - signed[:, 1:]
        standard.append(_bounded(differences / own.spread[:, :, None]))
        for number, control in enumerate(CONTROLS):
            facts = _comparison(differences[:, number], inputs, patients, seed)
            q, above = table[f"q_{control}"], differences[:, number].mean(axis=1) > 0
            known = ~np.isnan(differences[:, number]).any(axis=1)
            matched, reference = _mean(signed[known, 0]), _mean(signed[known, number + 1])
            rows.append(
                {"direction": direction, "control": control, "measure": "slope"}
                | {"matched": matched, "reference": reference}
                | facts
                | {
                    "share_as_expected": table["as_expected"].mean(),
                    "share_as_expected_control": table[f"as_expected_{control}"].mean(),
                    "share_unmoved": table["unmoved"].mean(),
                    "share_unmoved_control": table[f"unmoved_{control}"].mean(),
                    "share_above_q05": ((q < 0.05) & above).mean(),
                    "share_below_q05": ((q < 0.05) & ~above).mean(),
                }
            )
    for number, control in enumerate(CONTROLS):
        forward, reverse = (effects[:, number] for effects in standard)
        known = ~np.isnan(forward + reverse).any(axis=1)
        rows.append(
            {"direction": BETWEEN, "control": control, "measure": "effect"}
            | {"matched": _mean(forward[known]), "reference": _mean(reverse[known])}
            | _comparison(forward - reverse, inputs, patients, seed)
        )
    table = pd.DataFrame(rows)
    holm_of = table.groupby("direction")["p"].transform(lambda p: holm(p.to_numpy()))
    table.insert(table.columns.get_loc("p") + 1, "p_holm", holm_of)
    samples = responses.samples
    return table.assign(
        n_samples=len(samples),
        n_patients=len(patients),
        **count_seen(samples),
        n_spots=int(samples["n_spots"].sum()),
    )


def _bounded(effects: np.ndarray) -> np.ndarray:
    """Effects (pairs, controls, samples), scaled down where their mean exceeds `GREATEST`."""
    size = np.abs(effects.mean(axis=2, keepdims=True))
    return effects * (GREATEST / np.maximum(size, GREATEST))


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def _comparison(
    differences: np.ndarray, inputs: np.ndarray, patients: Patients, seed: int
) -> dict[str, float]:
    """Statistics of differences (pairs, samples); pairs without a difference are left out."""
    known = ~np.isnan(differences).any(axis=1)
    pairs, by_sample = differences[known].mean(axis=1), differences[known]
    by_input = pd.Series(pairs).groupby(inputs[known]).mean()
    facts: dict[str, float] = {"n_pairs": len(pairs), "n_inputs": len(by_input)}
    if not len(pairs):
        return facts
    over_pairs = by_sample.mean(axis=0)
    low, high = patients.interval(over_pairs, seed)
    spread = pairs.std(ddof=1) if len(pairs) > 1 else 0
    return facts | {
        "difference": pairs.mean(),
        "low": float(low),
        "high": float(high),
        "median_difference": np.median(pairs),
        "cohens_d_z": pairs.mean() / spread if spread > 0 else np.nan,
        "share_above": (pairs > 0).mean(),
        "p": stats.wilcoxon(by_input).pvalue if (by_input != 0).any() else 1.0,
        "rank_biserial": _rank_biserial(by_input[by_input != 0].to_numpy()),
        "p_patients": float(sign_flips(patients.means(over_pairs)[None], seed)[0]),
    }


def _rank_biserial(values: np.ndarray) -> float:
    """Ranks of positive values less ranks of negative ones, as a share of all ranks."""
    ranks = stats.rankdata(np.abs(values))
    return float(np.sum(ranks * np.sign(values)) / ranks.sum()) if len(values) else 0.0
