"""What the figure of a screen shows, in a sentence: its title; and what its scores are called."""

import pandas as pd

from sagefm.common.text import format_number
from sagefm.common.verdict import FEWEST
from sagefm.plotting.pair_scores import UNMODELLED
from sagefm.screen.tables import MEAN, NO_MODEL, OWN

SCORES = {
    "abs_response": "size of response",
    "response": "signed response",
    "abs_jacobian": "size of derivative",
    "jacobian": "signed derivative",
    **UNMODELLED,
    "input_mean_x_output_mean": "input's mean × output's mean",
}
"""Scores in the order they are drawn, the model's first, and what they are called."""


def pairs_ranked(table: pd.DataFrame) -> str:
    """How the model's score that is judged ranks known pairs, against co-expression, by pair table.

    A difference is significant where its interval over `FEWEST` inputs or more excludes 0.

    Parameters
    ----------
    table
        Of `scores.screen_scores`, with column truth.
    """
    score = next(name for name in OWN if name in set(table["score"]))
    words = []
    for truth, rows in table.groupby("truth", sort=False):
        own = overall_row(rows[rows["score"] == score])
        known = rows.loc[rows["score"] == "coexpression", "auroc"]
        other = format_number(known.iloc[0] if len(known) else float("nan"), ".2f")
        compared = f"{_compared(own)} co-expression ({other})" if len(known) else "not compared"
        name = str(truth).replace("_", " ")
        words.append(f"{name} {format_number(own['auroc'], '.2f')}, {compared}")
    return f"AUROC of known pairs by {SCORES[score]}: {'; '.join(words)}"


def _compared(row: pd.Series) -> str:
    if row["n_inputs"] >= FEWEST and row["advantage_low"] > 0:
        return "significantly above"
    if row["n_inputs"] >= FEWEST and row["advantage_high"] < 0:
        return "significantly below"
    return "not significantly different from"


def overall_row(rows: pd.DataFrame) -> pd.Series:
    """Of a score's rows, that of the mean of contexts, or the only one."""
    overall = rows[rows["context"].isin([MEAN, NO_MODEL])]
    return (overall if len(overall) else rows).iloc[0]
