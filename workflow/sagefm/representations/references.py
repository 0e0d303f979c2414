"""References of a claim on embeddings: differences by role, and missing references."""

from collections.abc import Collection, Iterable, Mapping
from math import nan

import pandas as pd

from sagefm.common.verdict import Difference
from sagefm.representations.catalogue import Catalogue

WORDS = {"spatial method": "a spatial method", "untrained": "an untrained baseline"}
"""Words for a role of which nothing was computed; a named method appears by its title."""


def differences_of(
    pairs: pd.DataFrame,
    values: Mapping[str, float],
    named: Collection[str],
    catalogue: Catalogue,
) -> list[Difference]:
    """Return the difference from each reference, in the order of the table.

    Parameters
    ----------
    pairs
        One row per reference: reference, difference, low, high, p_holm, smallest_p, n.
    values
        Value of each reference, by name.
    named
        Roles that, according to the claim, the model exceeds.
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
    """List required references not compared: each baseline, and one of each other role."""
    there = set(compared)
    found = {catalogue[name].role for name in there}
    missing = [catalogue.title(name) for name in catalogue.baselines() if name not in there]
    wanted = missing if "baseline" in roles else []
    return wanted + [WORDS[role] for role in roles if role in WORDS and role not in found]
