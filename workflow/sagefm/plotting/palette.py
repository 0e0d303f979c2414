"""One colour for each class and each patient of a cohort, the same in all figures of it."""

from collections.abc import Iterable, Mapping

import pandas as pd

from sagefm.plotting.colours import PATIENT_COLOURS
from sagefm.plotting.style import shades


def palette_table(obs: pd.DataFrame, classes: Iterable[pd.DataFrame] = ()) -> pd.DataFrame:
    """A cohort's labels, classes and patients with their colours: kind, name, n_spots, colour.

    Those with the most spots come first and get the colours that are easiest to tell apart. Classes
    are those of tasks that are no labels; they share the labels' palette, and no colour with them.

    Parameters
    ----------
    obs
        Of `cohort.describe_spots`.
    classes
        Of the tasks whose classes are shown on the cohort: columns class, n_spots, kept.
    """
    spots = {kind: _spots(obs[kind]) for kind in ("label", "patient") if kind in obs}
    labels = spots.get("label", {})
    others: dict[str, int] = {}
    for table in classes:
        kept = table[table["kept"].astype(bool)]
        for name, number in zip(kept["class"].astype(str), kept["n_spots"], strict=True):
            if name not in labels:
                others[name] = max(others.get(name, 0), number)
    kinds = [("label", name) for name in _order(labels)]
    kinds += [("class", name) for name in _order(others)]
    patients = [("patient", name) for name in _order(spots.get("patient", {}))]
    colours = [*shades(len(kinds)), *shades(len(patients), PATIENT_COLOURS)]
    table = pd.DataFrame([*kinds, *patients], columns=["kind", "name"])
    counts = {"label": labels, "class": others, "patient": spots.get("patient", {})}
    n_spots = [counts[kind][name] for kind, name in [*kinds, *patients]]
    return table.assign(n_spots=n_spots, colour=colours)


def _spots(names: pd.Series) -> dict[str, int]:
    """How many spots have each name."""
    return {str(name): int(n) for name, n in names.dropna().astype(str).value_counts().items()}


def _order(spots: Mapping[str, int]) -> list[str]:
    """Names, those with the most spots first."""
    return sorted(spots, key=lambda name: (-spots[name], name))


def palette_of(table: pd.DataFrame) -> dict[str, str]:
    """Names and their colours, from `palette_table`."""
    return dict(zip(table["name"].astype(str), table["colour"], strict=True))
