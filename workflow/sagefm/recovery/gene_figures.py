"""Maps of recovered genes: what is true and what is predicted, on the tissue."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from sagefm.common.text import count, with_sign
from sagefm.plotting.beyond import beyond_words, mark_beyond
from sagefm.plotting.colours import MODEL_COLOURS, PREDICTOR_COLOURS
from sagefm.plotting.headline import headline
from sagefm.plotting.histology import NO_TISSUES, Tissue
from sagefm.plotting.style import (
    DOUBLE,
    GREY,
    NEUTRAL,
    PREDICTOR_MARKERS,
    PREDICTOR_NAMES,
    SINGLE,
    group_title,
    present,
    styled,
)
from sagefm.plotting.tissue import draw_scale_bar, draw_spots, extended, map_shape, spot_pitch
from sagefm.recovery.titles import correlation_here, correlations, genes_here, share_above

GENE_BINS = 20
"""Bins of equal numbers of genes along the detection rate."""


BEYOND = 0.01
"""Share of genes that the axis of correlations may leave out at either end."""


@styled
def draw_correlation_by_detection(genes: pd.DataFrame, colour: str = MODEL_COLOURS[0]) -> Figure:
    """Correlation against detection rate: all sections pooled, and within sections.

    Lines are medians and bands quartiles of `GENE_BINS` bins with equal numbers of genes; behind
    them, in grey, the density of the model's genes; triangles are those beyond the axes. A gene
    that a predictor holds constant has no correlation; the legend counts those that have one. The
    title is how often the model's correlation exceeds the neighbour mean's.

    Parameters
    ----------
    genes
        Of `tables.gene_table`, with columns model and cohort.
    colour
        Of the model.
    """
    figure = Figure(figsize=(DOUBLE, 3.7))
    fill_correlation_by_detection(figure, genes, colour)
    return figure


TITLES = {"pearson": "pooled", "within_pearson": "within sections"}
"""The correlations that are drawn."""


def fill_correlation_by_detection(
    figure: FigureBase, genes: pd.DataFrame, colour: str = MODEL_COLOURS[0]
) -> None:
    """Fill a figure, or a part of one, with `draw_correlation_by_detection`."""
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    found = genes[genes["detection_rate"] > 0].assign(
        detection=lambda table: 100 * table["detection_rate"]
    )
    limits = _limits(found)
    names = genes["cohort"].iloc[0], genes["model"].iloc[0]
    palette = PREDICTOR_COLOURS | {"model": colour}
    for ax, (value, title) in zip(panels, TITLES.items(), strict=True):
        known = found.dropna(subset=value)
        model = known[known["predictor"] == "model"]
        ax.set_xscale("log")
        if len(model):
            grid = {"gridsize": 45, "xscale": "log", "bins": "log", "mincnt": 1, "linewidths": 0}
            ax.hexbin(model["detection"], model[value], cmap="Greys", alpha=0.45, **grid)
        for predictor in present(known["predictor"]):
            own = known[known["predictor"] == predictor]
            _binned(ax, own["detection"], own[value], palette[predictor], predictor)
        share, of = share_above(found, value)
        if of:
            title += f": model above in {share:.0%} of {of:,} genes"
        ax.axhline(0, color=NEUTRAL, lw=0.6)
        ax.set_xlabel("detection rate of the gene (% of hidden entries)")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_ylim(*limits)
        if beyond := mark_beyond(ax, model["detection"], model[value], GREY, 0.6):
            title += f"\n{beyond_words(beyond, 'gene')}"
        ax.set_title(title)
    panels[0].set_ylabel("correlation (Pearson)\nwith the truth")
    figure.legend(
        handles=_counted(found, palette),
        loc="outside lower center",
        ncols=2,
        title="genes with a correlation: pooled; within sections",
    )
    about = f"{group_title(names)}: {count(found['gene'].nunique(), 'gene')} detected"
    headline(figure, correlations(found), about)


def _limits(genes: pd.DataFrame) -> tuple[float, float]:
    """Ends of the axis of correlations: all but `BEYOND` of each predictor's genes, and 0."""
    by_predictor = genes.groupby("predictor")[[*TITLES]]
    low = min(by_predictor.quantile(BEYOND).min(axis=None), 0.0)
    high = max(by_predictor.quantile(1 - BEYOND).max(axis=None), 0.1)
    room = 0.04 * (high - low)
    return low - room, high + room


def _counted(genes: pd.DataFrame, colours: Mapping[str, str]) -> list[Line2D]:
    """Legend entries of the predictors, with their genes that have each correlation."""
    numbers = genes.groupby("predictor")[[*TITLES]].count()
    return [
        Line2D(
            [], [], color=colours[name], marker=PREDICTOR_MARKERS[name], ms=3, mew=0,
            label=f"{PREDICTOR_NAMES[name]} ({'; '.join(f'{n:,}' for n in numbers.loc[name])})",
        )
        for name in present(numbers.index[numbers.any(axis=1)])
    ]  # fmt: skip


def _binned(ax: Axes, detection: pd.Series, values: pd.Series, colour: str, predictor: str) -> None:
    """Median line and quartile band over bins of equal numbers of genes."""
    bins = pd.qcut(detection, GENE_BINS, duplicates="drop", labels=False)
    middle = detection.groupby(bins).median()
    low, median, high = (values.groupby(bins).quantile(q) for q in (0.25, 0.5, 0.75))
    ax.fill_between(middle, low, high, color=colour, alpha=0.2, lw=0)
    ax.plot(middle, median, color=colour, marker=PREDICTOR_MARKERS[predictor], ms=3, mew=0)


MAP_ROWS = {"truth": "true", "predicted": "model", "neighbour_mean": "neighbour\nmean"}

SCALES = (("truth",), ("predicted", "neighbour_mean"))
"""Rows that share a colour scale: counts of a spot vary far more than any mean of several."""


@styled
def draw_maps(maps: pd.DataFrame, tissues: Mapping[str, Tissue] = NO_TISSUES) -> Figure:
    """True and predicted expression of a few genes at every spot of one section.

    A column a gene, with one colour scale for the truth and one for both predictions, from 0 to the
    larger 99th percentile; an arrow at a bar's end marks spots beyond it. y runs downwards, as in
    the image. The title is how predictions correlate with the truth in this section.

    Parameters
    ----------
    maps
        Of `score.recovery_maps`, with columns model and cohort.
    tissues
        Of the section, if there is one: its image and scale bar.
    """
    genes = maps["gene"].nunique()
    spots = maps.loc[maps["gene"] == maps["gene"].iloc[0], ["x_pixels", "y_pixels"]].to_numpy()
    shape = map_shape(spots, spot_pitch(spots), 0.4, 2.5)
    width = min((DOUBLE - 0.4) / genes, 2.2)
    figure = Figure(figsize=(max(width * genes + 0.4, SINGLE), 3 * width * shape + 2.1))
    fill_maps(figure, maps, tissues)
    return figure


def fill_maps(
    figure: FigureBase, maps: pd.DataFrame, tissues: Mapping[str, Tissue] = NO_TISSUES
) -> None:
    """Fill a figure, or a part of one, with `draw_maps`."""
    genes = [*maps.groupby("gene", sort=False)]
    spots = genes[0][1][["x_pixels", "y_pixels"]].to_numpy()
    pitch, tissue = spot_pitch(spots), tissues.get(str(maps["sample"].iloc[0]))
    panels = figure.subplots(len(MAP_ROWS), len(genes), squeeze=False)
    for column, (name, gene) in zip(panels.T, genes, strict=True):
        by_row = dict(zip(MAP_ROWS, column, strict=True))
        at = gene[["x_pixels", "y_pixels"]].to_numpy()
        for rows in SCALES:
            colours = {"cmap": "viridis", "clim": (0, _largest(gene[[*rows]]))}
            for row in rows:
                discs = draw_spots(by_row[row], at, pitch, tissue, array=gene[row], **colours)
            bar = figure.colorbar(
                discs,
                ax=[by_row[row] for row in rows],
                location="bottom",
                aspect=12,
                shrink=0.85,
                extend=extended(gene[[*rows]].to_numpy(), discs.get_clim()),
            )
            bar.locator = MaxNLocator(3)
            bar.outline.set_visible(False)
        first, here = gene.iloc[0], correlation_here(gene, "predicted")
        inside = "none" if np.isnan(here) else with_sign(here, ".2f")
        column[0].set_title(
            f"{name}\n{first['position']}\nr {with_sign(first['pearson'], '.2f')}; here {inside}",
            loc="center",
            fontsize=7,
        )
    for ax, label in zip(panels[:, 0], MAP_ROWS.values(), strict=True):
        ax.set_ylabel(label, labelpad=2)
    draw_scale_bar(panels[-1, 0], spots, tissue)
    first = maps.iloc[0]
    names = first["cohort"], first["model"]
    about = f"{group_title(names)}: section {first['sample']}, {count(len(spots), 'spot')}"
    headline(figure, genes_here(maps), about)
    figure.supxlabel("expression on the model's log1p scale", fontsize=8)


def _largest(values: pd.DataFrame) -> float:
    """Upper end of a colour scale: the largest 99th percentile, of spots above 0 if that is 0."""
    for own in (values, values.where(values > 0)):
        largest = float(own.quantile(0.99).max())
        if largest > 0:
            return largest
    return 1.0
