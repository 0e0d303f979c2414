"""What the paper reports: its claims in words, and the numbers among them."""

import pandas as pd


def reported_claims(reported: pd.DataFrame) -> pd.DataFrame:
    """One row a claim of `resources/reported.tsv`, which has one a number.

    Columns id, claim, plain (the claim in plain words), reported, and figure: the page that shows
    it, missing where there is none.
    """
    columns = ["id", "claim", "plain", "reported", "figure"]
    return reported[columns].drop_duplicates("id", ignore_index=True)


def reported_values(reported: pd.DataFrame, unit: str) -> dict[str, float]:
    """The paper's number of each claim that it reports in a unit.

    Parameters
    ----------
    reported
        `resources/reported.tsv`: columns id, value, unit (both missing where there is no number).
    unit
        `samples`, `organs`, `share of genes` or `accuracy`; shares are 0 to 1.
    """
    numbers = reported[reported["unit"] == unit]
    return dict(zip(numbers["id"], numbers["value"].astype(float), strict=True))
