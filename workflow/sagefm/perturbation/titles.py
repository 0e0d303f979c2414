"""What the figures of perturbed pairs show, in a sentence: their titles."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sagefm.common.text import count, format_number, with_sign
from sagefm.common.verdict import ALPHA, FEWEST
from sagefm.perturbation.terms import FAIR, FORWARD, INPUTS, beyond_control

ALIKE = 0.25
"""Standard deviation over spots, by the mean, below which a response hardly differs."""


def pairs_counted(pairs: pd.DataFrame) -> str:
    """Pairs significantly above and below genes of similar expression, and those that cannot be.

    Parameters
    ----------
    pairs
        Of `tables.pair_table`.
    """
    beyond, unmoved = beyond_control(pairs), pairs["unmoved"].astype(bool)
    differs = (pairs[f"q_{FAIR}"] < 0.05) & ~unmoved
    above, below = (differs & (beyond > 0)).sum(), (differs & (beyond < 0)).sum()
    return (
        f"{above:,} of {count(len(pairs), 'pair')} respond more than genes of similar expression, "
        f"{below:,} less (FDR 5%); {unmoved.sum():,} cannot respond"
    )


def slopes_compared(summary: pd.DataFrame, scale: float, unit: str) -> str:
    """Whether outputs of pairs respond more than genes of similar expression, by the test's means.

    Parameters
    ----------
    summary
        Of `summary.response_summary`.
    scale, unit
        What slopes are multiplied with, and the unit that they then have.
    """
    rows = (summary["direction"] == FORWARD) & (summary["unit"] == INPUTS)
    fair = summary[rows & (summary["control"] == FAIR)].iloc[0]
    if np.isnan(fair["difference"]):
        return "No pair could be compared with genes of similar expression"
    words = "no significant difference"
    if fair["p_holm"] < ALPHA:
        words = f"significantly {'above' if fair['difference'] > 0 else 'below'}"
    pair, other = (with_sign(scale * fair[name], "#.2g") for name in ("matched", "reference"))
    return (
        f"Mean slope of pairs {pair}, of genes of similar expression {other} ({unit} per log1p): "
        f"{words} (Holm p {format_number(fair['p_holm'], '.2g')})"
    )


def pairs_found(effects: np.ndarray, discrimination: pd.DataFrame) -> str:
    """How well slopes tell pairs from the rest beside co-expression, and which direction is larger.

    Parameters
    ----------
    effects
        (pairs, 2): forward and reverse.
    discrimination
        Of `discrimination.discrimination_table`.
    """
    forward = discrimination[discrimination["direction"] == FORWARD].set_index("score")
    slope, known = forward.loc["slope"], forward.loc["coexpression_pooled"]
    words = "not significantly different from"
    if known["n_inputs"] >= FEWEST and known["slope_advantage_low"] > 0:
        words = "significantly above"
    elif known["n_inputs"] >= FEWEST and known["slope_advantage_high"] < 0:
        words = "significantly below"
    title = (
        f"AUROC of pairs by slope {format_number(slope['auroc'], '.2f')}, {words} co-expression "
        f"({format_number(known['auroc'], '.2f')})"
    )
    if not len(effects):
        return title
    larger = (effects[:, 0] > effects[:, 1]).mean()
    return f"{title}; forward effect larger in {larger:.0%} of {count(len(effects), 'pair')}"


def is_shut(own: pd.DataFrame) -> bool:
    """Whether the output of a pair is predicted as 0 at every spot, whatever the input.

    Parameters
    ----------
    own
        Of `maps.response_map`, one pair.
    """
    return not own[["low", "response"]].any(axis=None)


def responses_alike(pairs: Sequence[pd.DataFrame]) -> str:
    """How many responses are about the same at every spot, and how many outputs cannot respond.

    Parameters
    ----------
    pairs
        Of each pair its rows of `maps.response_map`.
    """
    responses = [own["response"].to_numpy() for own in pairs if not is_shut(own)]
    shut = len(pairs) - len(responses)
    if not responses:
        return "No output can respond: the model predicts 0 at every spot"
    alike = sum(_spread(values) < ALIKE for values in responses)
    if len(responses) == 1:
        words = f"The response {'hardly differs' if alike else 'differs'} from spot to spot"
    else:
        words = f"{alike} of {len(responses)} responses hardly differ from spot to spot"
    return words + (f"; {count(shut, 'output')} cannot respond" if shut else "")


def _spread(values: np.ndarray) -> float:
    """Standard deviation over spots of a response by the size of its mean; infinite about 0."""
    size = abs(values.mean())
    return float(values.std() / size) if size else np.inf
