"""What tables, maps, figures and claims of perturbed pairs share; imports nothing heavy."""

import pandas as pd

FORWARD, REVERSE, BETWEEN = "forward", "reverse", "forward less reverse"
"""The pairs' input is set and the output read; the other way round; the difference of the two."""

REMAINDER = "slope_remainder"
"""What co-expression and expression leave of the slopes."""

INPUTS, PATIENTS = "inputs", "patients"
"""What the statistics of a row of the summary are over. The claim and the figures read inputs."""


def strongest_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """The strongest pair of each input, the strongest first.

    By how far a pair's slope lies beyond that of genes of like expression, in the expected
    direction; not by its effect, which is great where control genes hardly move.

    Parameters
    ----------
    pairs
        Of `tables.pair_table`.
    """
    beyond = (pairs["slope"] - pairs["slope_expression_matched"]) * pairs["sign"]
    order = beyond.sort_values(ascending=False, kind="stable").index
    return pairs.loc[order].drop_duplicates("input")
