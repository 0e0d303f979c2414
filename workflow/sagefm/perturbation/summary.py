"""Test whether pairs respond more than their controls, and more than in the reverse direction.

Each comparison has two rows: one with statistics over inputs, one with statistics over patients.
"""

from typing import Any

import numpy as np
import pandas as pd

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
from sagefm.perturbation.terms import BETWEEN, FORWARD, INPUTS, PATIENTS, REVERSE
from sagefm.stats.paired import holm_within, paired_difference
from sagefm.stats.patients import count_seen
from sagefm.stats.resampling import Patients


def summarise_pairs(
    responses: tuple[PairResponses, PairResponses],
    coexpression: tuple[Coexpression, Coexpression],
    genes: pd.DataFrame,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Compute all tables of the perturbation of one pair table.

    Parameters
    ----------
    responses, coexpression
        Forward and reverse. In reverse, the pairs are the same with input and output exchanged.
    genes
        The pair table, with the mean expression of its genes: input, output, input_mean,
        output_mean.
    seed
        Seed of resampling and of sign flips.

    Returns
    -------
    dict
        pairs (`tables.pair_table` of the forward direction, `with_reverse`), levels (`level_table`)
        and discrimination (`discrimination_table`), both with a column direction, and summary
        (`response_summary`).
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
        "summary": response_summary(responses[0], slopes, (forward, reverse)),
        "discrimination": _stacked(discrimination),
    }


def _stacked(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, names=["direction"]).reset_index(level=0).reset_index(drop=True)


UNITS = {INPUTS: 2, PATIENTS: 1}
"""Unit of a row's statistics, and the axis of (sides, inputs, patients) averaged first."""

GREATEST = 10.0
"""Maximum size of an effect, in standard deviations, as control genes may hardly respond."""


def response_summary(
    responses: PairResponses,
    slopes: tuple[Slopes, Slopes],
    tables: tuple[pd.DataFrame, pd.DataFrame],
) -> pd.DataFrame:
    """Compare matched outputs with each control in each direction, and the two directions.

    Differences are signed so that the direction expected by the pair's sign is positive.

    Parameters
    ----------
    responses
        Responses of the forward direction. Its pairs and samples are those of both directions.
    slopes, tables
        Results of `tables.pair_slopes` and `pair_table`, forward and reverse.

    Returns
    -------
    DataFrame
        Two rows per comparison: statistics over the inputs, and over the patients.
        direction (`forward`, `reverse`, `forward less reverse`), control; measure (`slope`, or
        `effect` between the directions: slopes in standard deviations of the control genes' slopes,
        at most `GREATEST`);
        unit (`inputs`: each is the mean of its pairs over patients; `patients`: each is the mean
        over inputs), n (units with a difference);
        matched and reference (means over the units; the reference is the control, or the reverse
        direction), difference with low and high (95% interval, t), cohens_d_z (mean divided by
        standard deviation), share_above (share of units above 0), p (sign flips of the mean),
        p_holm (over the controls of the direction), smallest_p (the smallest p possible with n
        units). The difference is the same in both rows, as each input and patient counts once.
        Descriptive shares of pairs, the same in both rows: share_as_expected and share_unmoved
        (the slope has the expected sign, or is 0), with *_control of single control genes;
        share_above_q05 and share_below_q05 (above and below the control at a false discovery rate
        of 5%, patients as units); n_pairs, n_inputs (with a difference), n_samples, n_patients,
        n_patients_seen, n_patients_unknown (seen in training, or not known), n_spots.
    """
    patients, sign = Patients.of(responses.samples), responses.pairs["sign"].to_numpy()
    inputs = responses.pairs["input"].to_numpy()
    rows = []
    standard = []
    for direction, own, table in zip((FORWARD, REVERSE), slopes, tables, strict=True):
        # In reverse, the pairs of one input are those whose readout is the same gene.
        signed = sign[:, None, None] * own.by_sample
        differences = signed[:, :1] - signed[:, 1:]
        standard.append(_bounded(differences / own.spread[:, :, None]))
        for number, control in enumerate(CONTROLS):
            q, above = table[f"q_{control}"], differences[:, number].mean(axis=1) > 0
            what = {"direction": direction, "control": control, "measure": "slope"}
            shares = {
                "share_as_expected": table["as_expected"].mean(),
                "share_as_expected_control": table[f"as_expected_{control}"].mean(),
                "share_unmoved": table["unmoved"].mean(),
                "share_unmoved_control": table[f"unmoved_{control}"].mean(),
                "share_above_q05": ((q < 0.05) & above).mean(),
                "share_below_q05": ((q < 0.05) & ~above).mean(),
            }
            compared = _comparison(signed[:, 0], signed[:, number + 1], inputs, patients)
            rows += [what | facts | shares for facts in compared]
    for number, control in enumerate(CONTROLS):
        forward, reverse = (effects[:, number] for effects in standard)
        what = {"direction": BETWEEN, "control": control, "measure": "effect"}
        rows += [what | facts for facts in _comparison(forward, reverse, inputs, patients)]
    table = pd.DataFrame(rows)
    corrected = holm_within(table, ["direction", "unit"])
    table.insert(table.columns.get_loc("p") + 1, "p_holm", corrected)
    samples = responses.samples
    return table.assign(
        n_samples=len(samples),
        n_patients=len(patients),
        **count_seen(samples),
        n_spots=int(samples["n_spots"].sum()),
    )


def _bounded(effects: np.ndarray) -> np.ndarray:
    """Scale effects (pairs, controls, samples) down where their mean exceeds `GREATEST`."""
    size = np.abs(effects.mean(axis=2, keepdims=True))
    return effects * (GREATEST / np.maximum(size, GREATEST))


def _comparison(
    matched: np.ndarray, reference: np.ndarray, inputs: np.ndarray, patients: Patients
) -> list[dict[str, Any]]:
    """Compare two sides (pairs, samples), with one row of statistics for each of `UNITS`.

    Pairs without a difference are excluded from both sides.
    """
    known = ~np.isnan(matched - reference).any(axis=1)
    sides = np.stack([matched[known], reference[known]])
    names = np.unique(inputs[known])
    counts = {"n_pairs": int(known.sum()), "n_inputs": len(names)}
    # Means of each side: (sides, inputs, patients).
    members = names[:, None] == inputs[known]
    means = members / members.sum(axis=1, keepdims=True) @ patients.means(sides)
    rows = []
    for unit, axis in UNITS.items():
        values = means.mean(axis=axis) if len(names) else np.empty((2, 0))
        facts = paired_difference(values[0] - values[1])
        spread = np.std(values[0] - values[1], ddof=1) if facts["n"] > 1 else 0
        matched_mean, reference_mean = values.mean(axis=1) if facts["n"] else (np.nan, np.nan)
        rows.append(
            {
                "unit": unit,
                "n": facts["n"],
                "matched": matched_mean,
                "reference": reference_mean,
                "difference": facts["difference"],
                "low": facts["low"],
                "high": facts["high"],
                "cohens_d_z": facts["difference"] / spread if spread > 0 else np.nan,
                "share_above": facts["better_in"] / facts["n"] if facts["n"] else np.nan,
                "p": facts["p"],
                "smallest_p": facts["smallest_p"],
                **counts,
            }
        )
    return rows
