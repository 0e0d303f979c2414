"""What tables, maps, figures and claims of perturbed pairs share; imports nothing heavy."""

import pandas as pd

FORWARD, REVERSE, BETWEEN = "forward", "reverse", "forward less reverse"
"""The pairs' input is set and the output read; the other way round; the difference of the two."""

REMAINDER = "slope_remainder"
"""What co-expression and expression leave of the slopes."""

INPUTS, PATIENTS = "inputs", "patients"
"""What the statistics of a row of the summary are over. The claim and the figures read inputs."""

FAIR = "expression_matched"
"""The control that the numbers shown are against."""

DOWNSTREAM = ("gene_sets", "tf_targets")
"""Sources of pairs whose outputs lie downstream of the input."""


def hidden_by(hidden: str, source: str) -> str:
    """Which genes are hidden at the central spots, for pairs of a source.

    Parameters
    ----------
    hidden
        Of the config: `table` or `as_released`.
    source
        Of the pairs, as in the config.

    Returns
    -------
    str
        `table`: all outputs of the table, in one pass; `ligand_receptor`: the same, but controls
        are read with themselves hidden alone; `downstream`: so too, and of the outputs only the
        input's own are hidden.
    """
    if hidden == "table":
        return "table"
    return "downstream" if source in DOWNSTREAM else "ligand_receptor"


def hidden_outputs(pairs: pd.DataFrame, source: str, how: str) -> list[str]:
    """Outputs hidden while an input (`source`) is perturbed; `how` is of `hidden_by`."""
    own = pairs[pairs["input"] == source] if how == "downstream" else pairs
    return sorted(set(own["output"]))


def beyond_control(pairs: pd.DataFrame) -> pd.Series:
    """How far each pair's slope lies beyond that of `FAIR` genes, in the expected direction."""
    return (pairs["slope"] - pairs[f"slope_{FAIR}"]) * pairs["sign"]


def strongest_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """The strongest pair of each input, the strongest first.

    By how far a pair's slope lies beyond that of genes of similar expression, in the expected
    direction; not by its effect, which is great where control genes hardly move.

    Parameters
    ----------
    pairs
        Of `tables.pair_table`.
    """
    order = beyond_control(pairs).sort_values(ascending=False, kind="stable").index
    return pairs.loc[order].drop_duplicates("input")
