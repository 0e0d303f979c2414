"""Programmes by class, and how well other fits find them again."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sagefm.plotting.style import DOUBLE, NEUTRAL, beside, head, lettered, styled

NAMED = 3
"""Genes that name a programme."""


@styled
def draw_programmes(summary: pd.DataFrame, labels: pd.DataFrame, fits: pd.DataFrame) -> Figure:
    """Programmes in rows: mean value by class, and correlation with each other fit.

    Parameters
    ----------
    summary
        programme, rises (genes, by `; `).
    labels
        programme, label, value.
    fits
        programme, correlation: a row for each other fit.
    """
    values = labels.pivot(index="programme", columns="label", values="value")
    # Rows by the class that they are highest in.
    order = np.lexsort((-values.max(axis=1), values.to_numpy().argmax(axis=1)))
    values = values.iloc[order]
    genes = summary.set_index("programme")["rises"].str.split("; ").str[:NAMED].str.join(", ")
    figure = Figure(figsize=(DOUBLE, 0.19 * len(values) + 1.5))
    left, right = beside(figure, (1.9, 1))
    limit = np.abs(values.to_numpy()).max()
    ax = left.subplots()
    shown = ax.imshow(values, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto")
    ax.set_yticks(range(len(values)), [f"{genes[i]}   {i}" for i in values.index])
    ax.set_xticks(range(values.shape[1]), values.columns, rotation=35, ha="right")
    ax.spines[:].set_visible(False)
    left.colorbar(shown, ax=ax, shrink=0.6, label="standard deviations\nfrom the section's mean")
    head(left, "Programmes by the pathologist's class, held-out patients")
    ax = right.subplots()
    places = {programme: place for place, programme in enumerate(values.index)}
    ax.plot(fits["correlation"], fits["programme"].map(places), "o", color=NEUTRAL, markersize=3)
    ax.set(
        xlim=(0, 1.03),
        ylim=(len(values) - 0.5, -0.5),
        xlabel="correlation of the weights with\nthe fit to all patients",
    )
    ax.set_yticks(range(len(values)), values.index)
    ax.grid(axis="x")
    head(right, "Fits without a patient")
    return lettered(figure, left, right)
