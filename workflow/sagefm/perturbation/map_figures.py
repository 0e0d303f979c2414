"""Perturbed pairs on the tissue (claim 6): the input, the prediction, and its response."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import FixedLocator, MaxNLocator

from sagefm.common.text import count
from sagefm.common.verdict import MINUS
from sagefm.plotting.histology import NO_TISSUES, Tissue
from sagefm.plotting.style import DOUBLE, head, styled
from sagefm.plotting.tissue import draw_scale_bar, draw_spots, map_shape, spot_pitch

COLUMNS = {
    "input_neighbours": ("{input} in the neighbours", "mean expression (log1p)"),
    "low": ("{output}, {input} at its lowest", "predicted (log1p)"),
    "response": ("{output}, highest less lowest", "change (log1p)"),
}
"""Column of the table; what its map and its colour bar say."""

UNABLE = "#D5D5D5"
"""Spots of an output that cannot respond."""

ALIKE = 0.25
"""Standard deviation over spots, by the mean, below which a response hardly differs."""


@styled
def draw_response_maps(maps: pd.DataFrame, tissues: Mapping[str, Tissue] = NO_TISSUES) -> Figure:
    """Of a few pairs, a row each: the input as it is, the predicted output, and its response.

    The input is set to its cohort's lowest, then to its highest level in all neighbours of each
    spot; the response is the difference. Colours run from 0, or about 0 for the response: what
    hardly differs between spots looks the same, and the title of its panel has the range. Where the
    prediction is 0 whatever the input, the panel is marked as one that cannot respond. y runs
    downwards, as in the image. The title is by how much responses differ between spots.

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
    for line, ((source, target), own) in zip(panels, rows, strict=True):
        for ax, (column, (title, unit)) in zip(line, COLUMNS.items(), strict=True):
            values = own[column].to_numpy()
            words = title.format(input=source, output=target)
            shut = column != "input_neighbours" and _is_shut(own)
            if column == "response" and not shut:
                words += f"\n{_range(values)}"
            ax.set_title(words, loc="center")
            at = own[["x_pixels", "y_pixels"]].to_numpy()
            if shut:
                draw_spots(ax, at, pitch, tissue, facecolors=[UNABLE] * len(at))
                ax.set_xlabel("predicted as 0 at every spot:\ncannot respond")
                continue
            discs = draw_spots(ax, at, pitch, tissue, array=values, **_colours(values, column))
            bar = figure.colorbar(discs, ax=ax, shrink=0.85, aspect=15, pad=0.02)
            bar.locator = MaxNLocator(4) if values.any() else FixedLocator([0])
            bar.ax.ticklabel_format(axis="y", useOffset=False)
            bar.set_label(unit, fontsize=7)
            bar.outline.set_visible(False)
    draw_scale_bar(panels[-1, 0], at, tissue)
    names = first.iloc[0]
    head(
        figure,
        f"{_finding(rows)}\n{names['cohort']}, {names['model']}: "
        f"section {names['sample']}, {count(len(first), 'spot')}",
    )


def _is_shut(own: pd.DataFrame) -> bool:
    """Whether the output of a pair is predicted as 0 at every spot, whatever the input."""
    return not own[["low", "response"]].any(axis=None)


def _spread(values: np.ndarray) -> float:
    """Standard deviation over spots of a response by the size of its mean; infinite about 0."""
    size = abs(values.mean())
    return float(values.std() / size) if size else np.inf


def _range(values: np.ndarray) -> str:
    """The middle 98% of a response over spots: `0.0093 to 0.011`."""
    ends = np.percentile(values, [1, 99])
    return " to ".join(f"{float(f'{end:.2g}') + 0.0:g}" for end in ends).replace("-", MINUS)


def _finding(rows: Sequence[tuple]) -> str:
    """How many responses are about the same at every spot, and how many outputs cannot respond."""
    responses = [own["response"].to_numpy() for _, own in rows if not _is_shut(own)]
    alike = sum(_spread(values) < ALIKE for values in responses)
    words = [f"{alike} of {count(len(rows), 'response')} hardly differ{'s' * (alike == 1)} "
             "from spot to spot"]  # fmt: skip
    if shut := len(rows) - len(responses):
        words.append(f"{count(shut, 'output')} cannot respond")
    return ", ".join(words)


def _colours(values: np.ndarray, column: str) -> dict:
    """Colour map and its ends: from 0, or symmetric about 0 for the response."""
    low, high = np.percentile(values, [1, 99])
    if column != "response":
        return {"cmap": "viridis", "clim": (0, high or 1)}
    end = max(-low, high) or 1
    return {"cmap": "RdBu_r", "clim": (-end, end)}
