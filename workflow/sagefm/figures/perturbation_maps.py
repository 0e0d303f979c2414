"""Where on the tissue a perturbation is answered (claim 6)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import FixedLocator, MaxNLocator

from sagefm.figures.style import DOUBLE, head, styled
from sagefm.figures.tissue import draw_spots, map_shape, spot_pitch
from sagefm.told import count

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
    at = maps[["x", "y"]].drop_duplicates().to_numpy()
    width = DOUBLE / len(COLUMNS) - 0.65
    height = width * map_shape(at, spot_pitch(at), 0.4, 1.6)
    rows = len(maps[["input", "output"]].drop_duplicates())
    figure = Figure(figsize=(DOUBLE, rows * (height + 0.4) + 0.4))
    fill_response_maps(figure, maps)
    return figure


def fill_response_maps(figure: FigureBase, maps: pd.DataFrame) -> None:
    """Fill a figure, or a part of one, with `draw_response_maps`."""
    rows = [*maps.groupby(["input", "output"], sort=False)]
    first = rows[0][1]
    pitch = spot_pitch(first[["x", "y"]].to_numpy())
    panels = figure.subplots(len(rows), len(COLUMNS), squeeze=False)
    for line, ((source, target), own) in zip(panels, rows, strict=True):
        for ax, (column, (title, unit)) in zip(line, COLUMNS.items(), strict=True):
            values = own[column].to_numpy()
            colours = _colours(values, signed=column == "response")
            discs = draw_spots(ax, own[["x", "y"]].to_numpy(), pitch, array=values, **colours)
            ax.set_title(title.format(input=source, output=target), loc="center")
            bar = figure.colorbar(discs, ax=ax, shrink=0.85, aspect=15, pad=0.02)
            bar.locator = MaxNLocator(4) if values.any() else FixedLocator([0])
            bar.ax.ticklabel_format(axis="y", useOffset=False)
            bar.set_label(unit, fontsize=7)
            bar.outline.set_visible(False)
    names = first.iloc[0]
    head(
        figure,
        f"{names['cohort']}, model {names['model']}: section {names['sample']}, "
        f"{count(len(first), 'spot')}",
    )


def _colours(values: np.ndarray, signed: bool) -> dict:
    """Colour map and its ends: from 0, or about 0 if values of both signs have to be told."""
    low, high = np.percentile(values, [1, 99])
    if not signed:
        return {"cmap": "viridis", "clim": (0, high or 1)}
    if low <= 0 <= high:
        end = max(-low, high) or 1
        return {"cmap": "RdBu_r", "clim": (-end, end)}
    return {"cmap": "viridis", "clim": (low, high)}
