"""Correlation of predicted genes (claim 2) against how often they are detected."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import FuncFormatter, NullFormatter

from sagefm.figures.style import (
    DOUBLE,
    NEUTRAL,
    PREDICTOR_COLOURS,
    PREDICTOR_MARKERS,
    PREDICTOR_NAMES,
    group_title,
    head,
    present,
    styled,
)
from sagefm.told import count, told

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
        Of `recovery_tables.gene_table`, with columns model and cohort.
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
            higher = told(100 * (both["model"] > both["neighbour_mean"]).mean(), ".0f")
            title += f"\nmodel above neighbour mean: {higher} % of {len(both):,} genes"
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
