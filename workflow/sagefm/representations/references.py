"""What a claim compares a model's embedding with: differences by role, and what is missing."""

from collections.abc import Collection, Iterable, Mapping
from math import nan

import pandas as pd

from sagefm.common.verdict import Difference
from sagefm.representations.catalogue import Catalogue

WORDS = {"spatial method": "a spatial method", "untrained": "an untrained baseline"}
"""What a run lacks if nothing of a role was computed; a named method goes by its title."""


def differences_of(
    pairs: pd.DataFrame,
    values: Mapping[str, float],
    named: Collection[str],
    catalogue: Catalogue,
) -> list[Difference]:
    """The differences to each reference, in the order of the table.

    Parameters
    ----------
    pairs
        One row a reference: reference, difference, low, high, p_holm, smallest_p, n.
    values
        Each reference's own value, by name.
    named
        Roles that the claim itself says the model exceeds.
    catalogue
        Titles and roles of the references.
    """
    return [
        Difference.of(
            catalogue.title(row["reference"]),
            row,
            named=catalogue[row["reference"]].role in named,
            value=values.get(row["reference"], nan),
        )
        for row in pairs.to_dict("records")
    ]


def lacking(compared: Iterable[str], roles: Collection[str], catalogue: Catalogue) -> list[str]:
    """What has to be compared with and was not: every baseline, and one of each other role."""
    there = set(compared)
    found = {catalogue[name].role for name in there}
    missing = [catalogue.title(name) for name in catalogue.baselines() if name not in there]
    wanted = missing if "baseline" in roles else []
    return wanted + [WORDS[role] for role in roles if role in WORDS and role not in found]
