"""All tables of a pair table's perturbation, from the responses of both directions."""

import pandas as pd

from sagefm.coexpression import Coexpression
from sagefm.pair_terms import FORWARD, REVERSE
from sagefm.perturbation_discrimination import discrimination_table
from sagefm.perturbation_summary import summary_table
from sagefm.perturbation_tables import level_table, pair_slopes, pair_table, with_reverse
from sagefm.responses import PairResponses


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
        pairs (`perturbation_tables.pair_table` of the forward direction, `with_reverse`), levels
        (`level_table`) and discrimination (`perturbation_discrimination`), both with a column
        direction, summary (`perturbation_summary`).
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
        "summary": summary_table(responses[0], slopes, (forward, reverse), seed),
        "discrimination": _stacked(discrimination),
    }


def _stacked(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, names=["direction"]).reset_index(level=0).reset_index(drop=True)
