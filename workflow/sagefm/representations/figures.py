"""Spatial coherence of representations: Moran's I of their components, section by section."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sagefm.common.text import count
from sagefm.common.verdict import FEWEST
from sagefm.plotting.headline import headline
from sagefm.plotting.style import DOUBLE, NEUTRAL, styled
from sagefm.representations.catalogue import REGISTERED, Catalogue
from sagefm.representations.titles import most_coherent
from sagefm.stats.paired import t_interval


@styled
def draw_coherence(table: pd.DataFrame, catalogue: Catalogue = REGISTERED) -> Figure:
    """Mean Moran's I of each representation: a dot a section, the mean with its 95 % interval.

    The interval is that of Student's t over sections; fewer than `FEWEST` sections have
    none. The title is which method has the highest mean.

    Parameters
    ----------
    table
        Columns cohort, sample, representation, components, mean_moran_i, n_spots.
    catalogue
        Names and colours of the representations.
    """
    cohorts = list(pd.unique(table["cohort"]))
    order = table.groupby("representation")["mean_moran_i"].mean().sort_values().index
    components = table.groupby("representation")["components"].max()
    alike = components.nunique() == 1
    names = [catalogue.title(name) for name in order]
    sizes = [f" ({components[name]} components)" * (not alike) for name in order]
    labels = [f"{name}{size}" for name, size in zip(names, sizes, strict=True)]
    height = 0.3 * len(order) + 0.55
    figure = Figure(figsize=(DOUBLE, height * len(cohorts) + 0.75))
    panels = figure.subplots(len(cohorts), 1, sharex=True, squeeze=False)[:, 0]
    for ax, cohort in zip(panels, cohorts, strict=True):
        own = table[table["cohort"] == cohort]
        for row, name in enumerate(order):
            values = own.loc[own["representation"] == name, "mean_moran_i"].dropna().to_numpy()
            if len(values):
                _row(ax, row, values, catalogue.colour(name))
        ax.set_yticks(range(len(order)), labels)
        ax.set_ylim(-0.6, len(order) - 0.4)
        ax.tick_params(axis="y", length=0)
        ax.axvline(0, color=NEUTRAL, lw=0.6)
        ax.grid(axis="x")
        sections = own.drop_duplicates("sample")
        ax.set_title(
            f"{cohort}: {count(len(sections), 'section')}, "
            f"{count(sections['n_spots'].sum(), 'spot')}"
        )
    # With none in sight, 0 (no spatial order) still belongs to the axis.
    low, high = table["mean_moran_i"].min(), table["mean_moran_i"].max()
    panels[-1].set_xlim(min(0, low) - 0.02, max(high, 0.1) + 0.03)
    over = f"{components.iloc[0]} components" if alike else "components"
    panels[-1].set_xlabel(f"Moran's I, mean over {over} (0: no spatial order)")
    headline(figure, most_coherent(table, catalogue))
    return figure


def _row(ax, row: int, values: np.ndarray, colour: str) -> None:
    """Dots of one representation, spread a little, and under them the mean and its interval."""
    spread = 0.05 + 0.25 * (np.arange(len(values)) * 0.618 % 1)  # even, whatever the number
    ax.plot(np.sort(values), row + spread, "o", ms=3.5, color=colour, alpha=0.7, mew=0)
    mean, low, high = t_interval(values)
    if len(values) >= FEWEST:
        ax.plot([low, high], [row - 0.18] * 2, color=colour, lw=1.5)
    ax.plot(mean, row - 0.18, "D", ms=4.5, color=colour, mec="white", mew=0.6)
