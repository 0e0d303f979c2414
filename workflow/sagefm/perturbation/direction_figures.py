"""Perturbed pairs (claim 6): the two directions, and how well pairs are separated from the rest."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import FixedLocator, MaxNLocator

from sagefm.common.text import count
from sagefm.perturbation.figures import KIND_COLOURS, pairs_title
from sagefm.perturbation.terms import FORWARD, REVERSE
from sagefm.plotting.style import DOUBLE, NEUTRAL, head, styled
from sagefm.plotting.tissue import draw_spots, map_shape, spot_pitch

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
        Of `maps.response_map`, with columns model and cohort.
    """
    at = maps[["x_pixels", "y_pixels"]].drop_duplicates().to_numpy()
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
    pitch = spot_pitch(first[["x_pixels", "y_pixels"]].to_numpy())
    panels = figure.subplots(len(rows), len(COLUMNS), squeeze=False)
    for line, ((source, target), own) in zip(panels, rows, strict=True):
        for ax, (column, (title, unit)) in zip(line, COLUMNS.items(), strict=True):
            values = own[column].to_numpy()
            colours = _colours(values, signed=column == "response")
            discs = draw_spots(
                ax, own[["x_pixels", "y_pixels"]].to_numpy(), pitch, array=values, **colours
            )
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
    """Colour map and its ends: from 0, or symmetric about 0 if the sign matters."""
    low, high = np.percentile(values, [1, 99])
    if not signed:
        return {"cmap": "viridis", "clim": (0, high or 1)}
    if low <= 0 <= high:
        end = max(-low, high) or 1
        return {"cmap": "RdBu_r", "clim": (-end, end)}
    return {"cmap": "viridis", "clim": (low, high)}


SCORE_NAMES = {
    "slope": "model: slope",
    "coexpression_pooled": "co-expression, all spots",
    "coexpression_within": "co-expression within sections",
    "output_mean": "expression of the output",
    "slope_remainder": "model: what these leave",
}


@styled
def draw_directions(
    pairs: pd.DataFrame, discrimination: pd.DataFrame, summary: pd.DataFrame
) -> Figure:
    """Forward against reverse effect of every pair; how well pairs are separated from the rest.

    Effects are against genes of like expression, in their standard deviations; those beyond the
    axes are drawn at the edge. AUROC with 95% interval over inputs; forward filled, reverse hollow.

    Parameters
    ----------
    pairs, discrimination, summary
        Of `summary.summarise_pairs`.
    """
    figure = Figure(figsize=(DOUBLE, 3.2))
    fill_directions(figure, pairs, discrimination, summary)
    return figure


def fill_directions(
    figure: FigureBase, pairs: pd.DataFrame, discrimination: pd.DataFrame, summary: pd.DataFrame
) -> None:
    """Fill a figure, or a part of one, with `draw_directions`."""
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.05])
    columns = ["effect_expression_matched", "reverse_effect_expression_matched"]
    effects = pairs[columns].dropna().to_numpy()
    edge = np.ceil(np.percentile(np.abs(effects), 98)) if len(effects) else 1.0
    forward, reverse = np.clip(effects, -edge, edge).T
    dots = {"ms": 2.5, "mew": 0, "alpha": 0.4, "clip_on": False, "color": KIND_COLOURS["matched"]}
    left.plot(forward, reverse, "o", rasterized=True, **dots)
    left.plot([-edge, edge], [-edge, edge], color=NEUTRAL, lw=0.8, ls="--")
    for line in (left.axvline, left.axhline):
        line(0, color=NEUTRAL, lw=0.6)
    left.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal")
    left.set_xlabel("effect of the input on the output (SD)")
    left.set_ylabel("effect of the output on the input (SD)")
    title = "no pair has both effects\nknown"
    if len(effects):
        stronger = (effects[:, 0] > effects[:, 1]).mean()
        title = f"{count(len(effects), 'pair')}: forward effect\nthe greater in {stronger:.0%}"
    left.set_title(title)
    for direction, face, shift in ((FORWARD, None, -0.14), (REVERSE, "white", 0.14)):
        own = discrimination[discrimination["direction"] == direction].set_index("score")
        for y, name in enumerate(SCORE_NAMES):
            row = own.loc[name]
            colour = KIND_COLOURS["matched"] if name.startswith("slope") else NEUTRAL
            right.plot([row["auroc_low"], row["auroc_high"]], [y + shift] * 2, color=colour, lw=1)
            right.plot(row["auroc"], y + shift, "o", color=colour, mfc=face or colour)
        right.plot([], [], "o", color=NEUTRAL, mfc=face or NEUTRAL, label=direction)
    right.axvline(0.5, color=NEUTRAL, lw=0.6)
    right.set_yticks(range(len(SCORE_NAMES)), SCORE_NAMES.values())
    right.set_ylim(len(SCORE_NAMES) - 0.5, -0.5)
    right.tick_params(axis="y", length=0)
    right.grid(axis="x")
    right.set_xlabel("AUROC of pairs (0.5: chance)")
    first = discrimination.iloc[0]
    right.set_title(
        f"{first['n_pairs']:,} pairs among {first['n_entries']:,}\nentries (input, output)"
    )
    right.legend(loc="upper left", bbox_to_anchor=(0, -0.2), ncols=2, borderaxespad=0)
    head(figure, pairs_title(summary))
