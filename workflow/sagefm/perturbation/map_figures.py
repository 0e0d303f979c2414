"""Perturbed pairs on the tissue (claim 6): the input, the prediction, and its response."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import FixedLocator, MaxNLocator

from sagefm.common.text import count, with_sign
from sagefm.perturbation.titles import is_shut, responses_alike
from sagefm.plotting.colours import BLANK
from sagefm.plotting.headline import headline
from sagefm.plotting.histology import NO_TISSUES, Tissue
from sagefm.plotting.style import DOUBLE, styled
from sagefm.plotting.tissue import draw_scale_bar, draw_spots, extended, map_shape, spot_pitch

COLUMNS = {
    "input_neighbours": ("{input} in the neighbours", "mean expression (log1p)"),
    "low": ("{output}, {input} at its lowest", "predicted (log1p)"),
    "response": ("{output}, response to {input}", "change (log1p)"),
}
"""Column of the table; what its map and its colour bar say."""


@styled
def draw_response_maps(maps: pd.DataFrame, tissues: Mapping[str, Tissue] = NO_TISSUES) -> Figure:
    """Of a few pairs, a row each: the input as measured, the predicted output, and its response.

    The input is set to its cohort's lowest, then to its highest level in all neighbours of each
    spot; the response is the difference. Colours run from 0, or about 0 for the response, which has
    one scale for all pairs: what hardly differs between spots looks the same, and the title of its
    panel has the range. An arrow at a bar's end marks spots beyond it. Where the prediction is 0
    whatever the input, the panel is marked as one that cannot respond. y runs downwards, as in the
    image. The title is by how much responses differ between spots.

    Parameters
    ----------
    maps
        Of `maps.response_map`, with columns model and cohort.
    tissues
        Of the section, if there is one: its image and scale bar.
    """
    at = maps[["x_pixels", "y_pixels"]].drop_duplicates().to_numpy()
    width = DOUBLE / len(COLUMNS) - 0.65
    height = width * map_shape(at, spot_pitch(at), 0.4, 1.6)
    rows = len(maps[["input", "output"]].drop_duplicates())
    figure = Figure(figsize=(DOUBLE, rows * (height + 0.4) + 0.45))
    fill_response_maps(figure, maps, tissues)
    return figure


def fill_response_maps(
    figure: FigureBase, maps: pd.DataFrame, tissues: Mapping[str, Tissue] = NO_TISSUES
) -> None:
    """Fill a figure, or a part of one, with `draw_response_maps`."""
    rows = [*maps.groupby(["input", "output"], sort=False)]
    first = rows[0][1]
    pitch = spot_pitch(first[["x_pixels", "y_pixels"]].to_numpy())
    tissue = tissues.get(str(first["sample"].iloc[0]))
    panels = figure.subplots(len(rows), len(COLUMNS), squeeze=False)
    largest = _largest_response(rows)
    for line, ((source, target), own) in zip(panels, rows, strict=True):
        for ax, (column, (title, unit)) in zip(line, COLUMNS.items(), strict=True):
            values = own[column].to_numpy()
            words = title.format(input=source, output=target)
            shut = column != "input_neighbours" and is_shut(own)
            if column == "response" and not shut:
                words += f"\n{_range(values)}"
            ax.set_title(words, loc="center")
            at = own[["x_pixels", "y_pixels"]].to_numpy()
            if shut:
                draw_spots(ax, at, pitch, tissue, facecolors=[BLANK] * len(at))
                ax.set_xlabel("predicted as 0 at every spot:\ncannot respond")
                continue
            discs = draw_spots(
                ax, at, pitch, tissue, array=values, **_colours(values, column, largest)
            )
            extend = extended(values, discs.get_clim())
            bar = figure.colorbar(discs, ax=ax, shrink=0.85, aspect=15, pad=0.02, extend=extend)
            bar.locator = MaxNLocator(4) if values.any() else FixedLocator([0])
            bar.ax.ticklabel_format(axis="y", useOffset=False)
            bar.set_label(unit, fontsize=7)
            bar.outline.set_visible(False)
    draw_scale_bar(panels[-1, 0], at, tissue)
    names = first.iloc[0]
    headline(
        figure,
        responses_alike([own for _, own in rows]),
        f"{names['cohort']}, {names['model']}: "
        f"section {names['sample']}, {count(len(first), 'spot')}",
    )


def _range(values: np.ndarray) -> str:
    """The middle 98% of a response over spots: `0.0093 to 0.010`."""
    ends = np.percentile(values, [1, 99])
    return " to ".join(with_sign(end, "#.2g") for end in ends)


def _colours(values: np.ndarray, column: str, largest: float) -> dict:
    """Colour map and its ends: from 0, or for the response about 0, to the largest of all pairs."""
    if column != "response":
        return {"cmap": "viridis", "clim": (0, np.percentile(values, 99) or 1)}
    return {"cmap": "RdBu_r", "clim": (-largest, largest)}


def _largest_response(rows: Sequence[tuple]) -> float:
    """The largest size of a response, 1% of spots at either end of each pair left out; or 1."""
    ends = [np.abs(np.percentile(own["response"], [1, 99])).max() for _, own in rows]
    return float(max(ends)) or 1.0
