"""One colour for each label and each patient of a cohort, the same in all figures of it."""

import pandas as pd

from sagefm.plotting.style import shades


def palette_table(obs: pd.DataFrame) -> pd.DataFrame:
    """A cohort's labels and patients with their colours: kind, name, n_spots, colour.

    Those with the most spots come first and get the colours that are easiest to tell apart.

    Parameters
    ----------
    obs
        Of `cohort.describe_spots`.
    """
    parts = []
    for kind in ("label", "patient"):
        if kind in obs:
            spots = obs[kind].dropna().astype(str).value_counts()
            order = sorted(spots.index, key=lambda name: (-spots[name], name))
            table = {"name": order, "n_spots": spots[order], "colour": shades(len(order))}
            parts.append(pd.DataFrame(table).assign(kind=kind))
    return pd.concat(parts)[["kind", "name", "n_spots", "colour"]]


def palette_of(table: pd.DataFrame) -> dict[str, str]:
    """Names and their colours, from `palette_table`."""
    return dict(zip(table["name"].astype(str), table["colour"], strict=True))
