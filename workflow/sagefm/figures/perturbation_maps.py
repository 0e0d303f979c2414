"""Where on the tissue a perturbation is answered (claim 6)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.spatial import KDTree

from sagefm.figures.style import DOUBLE, count, head, styled

COLUMNS = {
    "input_neighbours": ("{input} in the neighbours", "mean expression (log1p)"),
    "low": ("{output}, {input} at its lowest", "predicted (log1p)"),
    "response": ("{output}, change at its highest", "change (log1p)"),
}
"""Column of the table; what its map and its colour bar say."""


@styled
def draw_response_maps(maps: pd.DataFrame) -> Figure:
    """Of a few pairs, a row each: the input as it is, the predicted output, and its response.

    The input is set to its cohort's lowest, then to its highest level in all neighbours of each
    spot; the response is the difference. Colours run from 0, but for the response: over its own
    range where it has one sign, else about 0. y runs downwards, as in the image.

    Parameters
    ----------
    maps
        Of `response_maps.response_map`, with columns model and cohort.
    """
    rows = [*maps.groupby(["input", "output"], sort=False)]
    first = rows[0][1]
    at = first[["x", "y"]].to_numpy()
    pitch = _pitch(at)
    (left, top), (right, bottom) = at.min(axis=0) - pitch, at.max(axis=0) + pitch
    width = DOUBLE / len(COLUMNS) - 0.65
    height = width * np.clip((bottom - top) / (right - left), 0.4, 1.6)
    figure = Figure(figsize=(DOUBLE, len(rows) * (height + 0.4) + 0.4))
    panels = figure.subplots(len(rows), len(COLUMNS), squeeze=False)
    for line, ((source, target), own) in zip(panels, rows, strict=True):
        for ax, (column, (title, unit)) in zip(line, COLUMNS.items(), strict=True):
            discs = _discs(ax, own, column, pitch)
            ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            ax.set_title(title.format(input=source, output=target), loc="center")
            bar = figure.colorbar(discs, ax=ax, shrink=0.85, aspect=15, pad=0.02)
            bar.locator = MaxNLocator(4)
            bar.formatter.set_useOffset(False)
            bar.set_label(unit, fontsize=7)
            bar.outline.set_visible(False)
    names = first.iloc[0]
    head(
        figure,
        f"{names['cohort']}, model {names['model']}: section {names['sample']}, "
        f"{count(len(first), 'spot')}",
    )
    return figure


def _discs(ax: Axes, spots: pd.DataFrame, column: str, pitch: float) -> EllipseCollection:
    """Discs of the array's pitch, in data units: they touch, whatever the figure's size."""
    values = spots[column].to_numpy()
    low, high = np.percentile(values, [1, 99])
    colours = "viridis"
    if column != "response":
        low, high = 0, high or 1
    elif low <= 0 <= high:
        high = max(-low, high) or 1
        low, colours = -high, "RdBu_r"
    size = np.full(len(values), pitch)
    discs = EllipseCollection(
        size, size, np.zeros(len(values)), units="x", linewidths=0, offsets=spots[["x", "y"]],
        offset_transform=ax.transData, array=values, cmap=colours, clim=(low, high),
        rasterized=True,
    )  # fmt: skip
    ax.add_collection(discs)
    return discs


def _pitch(spots: np.ndarray) -> float:
    """Typical distance of a spot (rows of x, y in pixels) to the nearest other position."""
    positions = np.unique(spots, axis=0)
    if len(positions) < 2:
        return 1.0
    return float(np.median(KDTree(positions).query(positions, k=2)[0][:, 1]))
