"""Maps of recovered genes: what is true and what is predicted, on the tissue."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import MaxNLocator

from sagefm.figures.style import DOUBLE, SINGLE, group_title, head, styled
from sagefm.figures.tissue import draw_spots, map_shape, spot_pitch
from sagefm.told import count

MAP_ROWS = {"truth": "true", "predicted": "model", "neighbour_mean": "neighbour mean"}


@styled
def draw_maps(maps: pd.DataFrame) -> Figure:
    """True and predicted expression of a few genes at every spot of one section.

    A column a gene, with one colour scale for its three maps, from 0 to the largest 99th percentile
    of the three. y runs downwards, as in the image.

    Parameters
    ----------
    maps
        Of `recovery.recovery_maps`, with columns model and cohort.
    """
    genes = maps["gene"].nunique()
    spots = maps.loc[maps["gene"] == maps["gene"].iloc[0], ["x", "y"]].to_numpy()
    shape = map_shape(spots, spot_pitch(spots), 0.4, 2.5)
    width = min((DOUBLE - 0.4) / genes, 2.2)
    figure = Figure(figsize=(max(width * genes + 0.4, SINGLE), 3 * width * shape + 1.6))
    fill_maps(figure, maps)
    return figure


def fill_maps(figure: FigureBase, maps: pd.DataFrame) -> None:
    """Fill a figure, or a part of one, with `draw_maps`."""
    genes = [*maps.groupby("gene", sort=False)]
    spots = genes[0][1][["x", "y"]].to_numpy()
    pitch = spot_pitch(spots)
    panels = figure.subplots(len(MAP_ROWS), len(genes), squeeze=False)
    for column, (name, gene) in zip(panels.T, genes, strict=True):
        largest = np.nanpercentile(gene[list(MAP_ROWS)], 99, axis=0).max()
        for ax, value in zip(column, MAP_ROWS, strict=True):
            at, colours = (
                gene[["x", "y"]].to_numpy(),
                {"cmap": "viridis", "clim": (0, largest or 1)},
            )
            discs = draw_spots(ax, at, pitch, array=gene[value], **colours)
        first = gene.iloc[0]
        column[0].set_title(
            f"{name}\n{first['position']}\nr = {first['pearson']:.2f}", loc="center"
        )
        bar = figure.colorbar(discs, ax=list(column), location="bottom", aspect=12, shrink=0.85)
        bar.locator = MaxNLocator(3)
        bar.outline.set_visible(False)
    for ax, label in zip(panels[:, 0], MAP_ROWS.values(), strict=True):
        ax.set_ylabel(label, labelpad=2)
    _scale_bar(panels[-1, 0])
    first = maps.iloc[0]
    names = first["cohort"], first["model"]
    head(figure, f"{group_title(names)}: section {first['sample']}, {count(len(spots), 'spot')}")
    figure.supxlabel("expression on the model's log1p scale", fontsize=8)


def _scale_bar(ax: Axes) -> None:
    """A bar of about a third of the width under a map, its length in pixels."""
    left, right = ax.get_xlim()
    third = (right - left) / 3
    power = 10 ** np.floor(np.log10(third))
    length = power * max(step for step in (1, 2, 5) if step * power <= third)
    x = left + 0.04 * (right - left)
    under: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": False}
    ax.plot([x, x + length], [-0.03, -0.03], color="black", lw=1.5, **under)
    ax.text(x, -0.06, f"{length:,.0f} pixels", va="top", fontsize=7, **under)
