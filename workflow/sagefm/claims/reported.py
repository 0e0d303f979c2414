"""Claims and numbers reported by the paper."""

import pandas as pd


def reported_claims(reported: pd.DataFrame) -> pd.DataFrame:
    """Return one row per claim from `resources/reported.tsv`, which has one row per number.

    Columns are id, claim, plain (the claim in plain words), reported, and figure (the page that
    shows it; missing if there is none).
    """
    columns = ["id", "claim", "plain", "reported", "figure"]
    return reported[columns].drop_duplicates("id", ignore_index=True)


def reported_values(reported: pd.DataFrame, unit: str) -> dict[str, float]:
    """Return the paper's number for each claim reported in a given unit.

    Parameters
    ----------
    reported
        `resources/reported.tsv`: columns id, value, unit (both missing if there is no number).
    unit
        `samples`, `organs`, `share of genes` or `accuracy`; shares are 0 to 1.
    """
    numbers = reported[reported["unit"] == unit]
    return dict(zip(numbers["id"], numbers["value"].astype(float), strict=True))
