"""Numbers that the paper reports."""

import re

import pandas as pd

from sagefm.common.errors import InputError


def reported_share(reported: pd.DataFrame) -> float:
    """The paper's share of genes recovered, 0 to 1, from the table of what it reports.

    Raises
    ------
    InputError
        If the table's row `recovery` does not begin with a percentage.
    """
    text = " ".join(reported.loc[reported["id"] == "recovery", "reported"])
    found = re.match(r"(\d+(?:\.\d+)?) ?%", text)
    if not found:
        raise InputError(
            f"reported figures, row `recovery`: `{text}` does not begin with a percentage; "
            "write it as `91 % of ...`."
        )
    return float(found[1]) / 100


def reported_accuracy(reported: pd.DataFrame, claim: str | None) -> float | None:
    """The paper's accuracy of a claim, 0 to 1, from the table of what it reports; None without."""
    text = " ".join(reported.loc[reported["id"] == claim, "reported"])
    found = re.match(r"(\d+(?:\.\d+)?) ?% accuracy", text)
    return float(found[1]) / 100 if found else None
