"""Maps of recovered genes: what is true and what is predicted, on the tissue."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from sagefm.common.text import count, format_number
from sagefm.plotting.histology import NO_TISSUES, Tissue
from sagefm.plotting.style import (
    DOUBLE,
    NEUTRAL,
    PREDICTOR_COLOURS,
    PREDICTOR_MARKERS,
    PREDICTOR_NAMES,
    SINGLE,
    group_title,
    head,
    present,
    styled,
)
from sagefm.plotting.tissue import draw_scale_bar, draw_spots, map_shape, spot_pitch

GENE_BINS = 20
"""Bins of equal numbers of genes along the detection rate."""


@styled
def draw_correlation_by_detection(genes: pd.DataFrame) -> Figure:
    """Correlation against detection rate: all samples pooled, and within samples.

    Lines are medians and bands quartiles of `GENE_BINS` bins with equal numbers of genes; behind
    them, in grey, the density of the model's genes. A gene that a predictor holds constant has no
    correlation; the legend counts those that have one.

    Parameters
    ----------
    genes
        Of `tables.gene_table`, with columns model and cohort.
    """
    figure = Figure(figsize=(DOUBLE, 3.3))
    fill_correlation_by_detection(figure, genes)
    return figure


def fill_correlation_by_detection(figure: FigureBase, genes: pd.DataFrame) -> None:
    """Fill a figure, or a part of one, with `draw_correlation_by_detection`."""
    panels = figure.subplots(1, 2, sharey=True)
    found = genes[genes["detection_rate"] > 0].assign(
        detection=lambda table: 100 * table["detection_rate"]
    )
    titles = {"pearson": "all samples pooled", "within_pearson": "mean within samples"}
    for ax, (value, title) in zip(panels, titles.items(), strict=True):
        known = found.dropna(subset=value)
        model = known[known["predictor"] == "model"]
        ax.set_xscale("log")
        if len(model):
            grid = {"gridsize": 45, "xscale": "log", "bins": "log", "mincnt": 1, "linewidths": 0}
            ax.hexbin(model["detection"], model[value], cmap="Greys", alpha=0.45, **grid)
        for predictor in present(known["predictor"]):
            own = known[known["predictor"] == predictor]
            _binned(ax, own["detection"], own[value], predictor)
        both = found.pivot(index="gene", columns="predictor", values=value)
        if {"model", "neighbour_mean"} <= set(both):
            both = both.dropna(subset="neighbour_mean")
            # A gene that the model holds constant is not above anything.
            higher = format_number(100 * (both["model"] > both["neighbour_mean"]).mean(), ".0f")
            title += f"\nmodel above neighbour mean: {higher}% of {len(both):,} genes"
        ax.axhline(0, color=NEUTRAL, lw=0.6)
        ax.set_xlabel("detection rate of the gene (% of hidden entries)")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_title(title)
        ax.legend(loc="upper left", title="predictor (genes with a correlation)", alignment="left")
    lowest = found[[*titles]].quantile(0.001).min()
    panels[0].set_ylim(min(lowest, 0) - 0.05, 1)
    panels[0].set_ylabel("Pearson correlation with the truth")
    names = genes["cohort"].iloc[0], genes["model"].iloc[0]
    head(figure, f"{group_title(names)}: {count(found['gene'].nunique(), 'gene')} detected")


def _binned(ax: Axes, detection: pd.Series, values: pd.Series, predictor: str) -> None:
    """Median line and quartile band over bins of equal numbers of genes."""
    bins = pd.qcut(detection, GENE_BINS, duplicates="drop", labels=False)
    middle = detection.groupby(bins).median()
    low, median, high = (values.groupby(bins).quantile(q) for q in (0.25, 0.5, 0.75))
    colour = PREDICTOR_COLOURS[predictor]
    ax.fill_between(middle, low, high, color=colour, alpha=0.2, lw=0)
    label = f"{PREDICTOR_NAMES[predictor]} ({len(values):,})"
    marker = PREDICTOR_MARKERS[predictor]
    ax.plot(middle, median, color=colour, marker=marker, ms=3, mew=0, label=label)


MAP_ROWS = {"truth": "true", "predicted": "model", "neighbour_mean": "neighbour mean"}


@styled
def draw_maps(maps: pd.DataFrame, tissues: Mapping[str, Tissue] = NO_TISSUES) -> Figure:
    """True and predicted expression of a few genes at every spot of one section.

    A column a gene, with one colour scale for its three maps, from 0 to the largest 99th percentile
    of the three. y runs downwards, as in the image.

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
    figure = Figure(figsize=(max(width * genes + 0.4, SINGLE), 3 * width * shape + 1.8))
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
        largest = np.nanpercentile(gene[list(MAP_ROWS)], 99, axis=0).max()
        for ax, value in zip(column, MAP_ROWS, strict=True):
            at, colours = (
                gene[["x_pixels", "y_pixels"]].to_numpy(),
                {"cmap": "viridis", "clim": (0, largest or 1)},
            )
            discs = draw_spots(ax, at, pitch, tissue, array=gene[value], **colours)
        first, pair = gene.iloc[0], gene[["truth", "predicted"]]
        here = pair.corr().iloc[0, 1] if (pair.nunique() > 1).all() else np.nan
        r = format_number(first["pearson"], ".2f")
        column[0].set_title(
            f"{name}\n{first['position']}\nr = {r}\nhere {format_number(here, '.2f')}",
            loc="center",
        )
        bar = figure.colorbar(discs, ax=list(column), location="bottom", aspect=12, shrink=0.85)
        bar.locator = MaxNLocator(3)
        bar.outline.set_visible(False)
    for ax, label in zip(panels[:, 0], MAP_ROWS.values(), strict=True):
        ax.set_ylabel(label, labelpad=2)
    draw_scale_bar(panels[-1, 0], spots, tissue)
    first = maps.iloc[0]
    names = first["cohort"], first["model"]
    head(figure, f"{group_title(names)}: section {first['sample']}, {count(len(spots), 'spot')}")
    figure.supxlabel("expression on the model's log1p scale", fontsize=8)
