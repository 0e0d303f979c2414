"""Maps of recovered genes: what is true and what is predicted, on the tissue."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.spatial import KDTree

from sagefm.figures.style import DOUBLE, SINGLE, count, group_title, head, styled

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
    genes = [*maps.groupby("gene", sort=False)]
    spots = genes[0][1][["x", "y"]].to_numpy()
    pitch = _pitch(spots)
    (left, top), (right, bottom) = spots.min(axis=0) - pitch, spots.max(axis=0) + pitch
    shape = np.clip((bottom - top) / (right - left), 0.4, 2.5)
    width = min((DOUBLE - 0.4) / len(genes), 2.2)
    figure = Figure(figsize=(max(width * len(genes) + 0.4, SINGLE), 3 * width * shape + 1.6))
    panels = figure.subplots(len(MAP_ROWS), len(genes), squeeze=False)
    for column, (name, gene) in zip(panels.T, genes, strict=True):
        largest = np.nanpercentile(gene[list(MAP_ROWS)], 99, axis=0).max()
        for ax, value in zip(column, MAP_ROWS, strict=True):
            # Discs of the array's pitch, in data units: they touch, whatever the figure's size.
            size = np.full(len(gene), pitch)
            discs = EllipseCollection(
                size, size, np.zeros(len(gene)), units="x", linewidths=0,
                offsets=gene[["x", "y"]], offset_transform=ax.transData,
                array=gene[value], cmap="viridis", clim=(0, largest or 1), rasterized=True,
            )  # fmt: skip
            ax.add_collection(discs)
            ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        first = gene.iloc[0]
        column[0].set_title(
            f"{name}\n{first['position']}\nr = {first['pearson']:.2f}", loc="center"
        )
        bar = figure.colorbar(discs, ax=list(column), location="bottom", aspect=12, shrink=0.85)
        bar.locator = MaxNLocator(3)
        bar.outline.set_visible(False)
    for ax, label in zip(panels[:, 0], MAP_ROWS.values(), strict=True):
        ax.set_ylabel(label, labelpad=2)
    _scale_bar(panels[-1, 0], left, right)
    first = maps.iloc[0]
    names = first["cohort"], first["model"]
    head(figure, f"{group_title(names)}: section {first['sample']}, {count(len(spots), 'spot')}")
    figure.supxlabel("expression on the model's log1p scale", fontsize=8)
    return figure


def _pitch(spots: np.ndarray) -> float:
    """Typical distance of a spot (rows of x, y in pixels) to the nearest other position."""
    positions = np.unique(spots, axis=0)
    if len(positions) < 2:
        return 1.0
    return float(np.median(KDTree(positions).query(positions, k=2)[0][:, 1]))


def _scale_bar(ax: Axes, left: float, right: float) -> None:
    """A bar of about a third of the width under a map, its length in pixels."""
    third = (right - left) / 3
    power = 10 ** np.floor(np.log10(third))
    length = power * max(step for step in (1, 2, 5) if step * power <= third)
    x = left + 0.04 * (right - left)
    under = {"transform": ax.get_xaxis_transform(), "clip_on": False}
    ax.plot([x, x + length], [-0.03, -0.03], color="black", lw=1.5, **under)
    ax.text(x, -0.06, f"{length:,.0f} pixels", va="top", fontsize=7, **under)
