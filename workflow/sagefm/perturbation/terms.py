"""Names and choices shared by tables, maps, figures and claims of pairs; a light import."""

import pandas as pd

FORWARD, REVERSE, BETWEEN = "forward", "reverse", "forward less reverse"
"""Directions: the input is perturbed and the output read; the reverse; and their difference."""

REMAINDER = "slope_remainder"
"""Score that ranks pairs by what co-expression and expression do not explain of the slopes."""

INPUTS, PATIENTS = "inputs", "patients"
"""Units of the statistics in a row of the summary. The claim and the figures use inputs."""

FAIR = "expression_matched"
"""Control that reported numbers are compared with."""

DOWNSTREAM = ("gene_sets", "tf_targets")
"""Sources of pairs whose outputs are downstream of the input."""


def hidden_by(hidden: str, source: str) -> str:
    """Decide which genes are hidden at the central spots, for the pairs of one source.

    Parameters
    ----------
    hidden
        Value in the config: `table` or `as_released`.
    source
        Source of the pairs in the config.

    Returns
    -------
    str
        `table`: all outputs of the table are hidden, in one pass. `ligand_receptor`: the same, but
        controls are read with only themselves hidden. `downstream`: as `ligand_receptor`, but only
        the input's own outputs are hidden.
    """
    if hidden == "table":
        return "table"
    return "downstream" if source in DOWNSTREAM else "ligand_receptor"


def hidden_outputs(pairs: pd.DataFrame, source: str, how: str) -> list[str]:
    """Outputs hidden while the gene `source` is perturbed; `how` comes from `hidden_by`."""
    own = pairs[pairs["input"] == source] if how == "downstream" else pairs
    return sorted(set(own["output"]))


def beyond_control(pairs: pd.DataFrame) -> pd.Series:
    """Difference of each pair's slope from that of `FAIR` genes, in the expected direction."""
    return (pairs["slope"] - pairs[f"slope_{FAIR}"]) * pairs["sign"]


def strongest_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Select the strongest pair of each input, strongest first.

    Pairs are ranked by `beyond_control`. Their effect is not used, because it is large where
    control genes hardly respond.

    Parameters
    ----------
    pairs
        Table of `tables.pair_table`.
    """
    order = beyond_control(pairs).sort_values(ascending=False, kind="stable").index
    return pairs.loc[order].drop_duplicates("input")
