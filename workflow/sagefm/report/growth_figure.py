"""Time and memory of stages against spots, from the committed table."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator

from sagefm.common.io import read_table
from sagefm.plotting.colours import MODEL_COLOURS
from sagefm.plotting.style import DOUBLE, GREY, NEUTRAL, head, save_png, styled
from sagefm.report.cost_figure import name_at_right, spread
from sagefm.representations.catalogue import REGISTERED

IMAGE = "growth.png"

METHODS = {
    "PCA": "pca",
    "mean of neighbours": "neighbour_mean",
    "BANKSY": "banksy",
    "niche channels": "niche_channels",
}
"""Stages that compute a representation, which have its name and colour."""

OTHERS = {
    "embedding": MODEL_COLOURS[0],
    "recovery": MODEL_COLOURS[1],
    "batches of an epoch": MODEL_COLOURS[2],
}
"""Stages of a model, in its blues; what is left is grey."""


@styled
def draw_growth(table: pd.DataFrame) -> Figure:
    """Processor seconds and peak memory of each stage against spots, a panel each.

    The dotted line is time in proportion to spots.

    Parameters
    ----------
    table
        Of `make bench-growth`: stage, spots, processor_seconds, peak_gb.
    """
    figure = Figure(figsize=(DOUBLE, 3.0))
    time, memory = figure.subplots(1, 2)
    time.set_yscale("log")
    time.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    _lines(time, table, "processor_seconds")
    time.set_ylabel("processor seconds")
    smallest = table[table["spots"] == table["spots"].min()]["processor_seconds"].min()
    spots = np.array([table["spots"].min(), table["spots"].max()])
    time.plot(spots, smallest * spots / spots[0], ":", color=NEUTRAL, lw=0.8)
    _lines(memory, table, "peak_gb")
    memory.set_ylabel("peak memory, GB")
    memory.set_ylim(0)
    most = table.loc[table["peak_gb"].idxmax()]
    head(
        figure,
        f"{_title(most['stage'])} takes the most memory: {most['peak_gb']:.1f} GB at "
        f"{most['spots']:,} spots",
    )
    return figure


def _lines(ax: Axes, table: pd.DataFrame, column: str) -> None:
    """A line for each stage, with its name at the right."""
    logged = ax.get_yscale() == "log"
    ends = table.sort_values("spots").groupby("stage").tail(1).sort_values(column)
    heights, every = (
        np.log10(own[column].to_numpy()) if logged else own[column].to_numpy()
        for own in (ends, table)
    )
    places = spread(heights, np.ptp(every) / 12)
    for row, place in zip(ends.itertuples(), places, strict=True):
        stage = str(row.stage)
        own = table[table["stage"] == stage].sort_values("spots")
        ax.plot(own["spots"], own[column], "o-", color=_colour(stage))
        end, height = (row.spots, getattr(row, column)), 10**place if logged else place
        name_at_right(ax, _title(stage), end, height)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(sorted(table["spots"].unique())))
    ax.xaxis.set_major_formatter(lambda spots, _: f"{spots / 1000:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.set_xlabel("thousand spots")
    ax.grid(axis="y")


def _title(stage: str) -> str:
    """A stage's name, or the method's that it computes."""
    return REGISTERED.title(METHODS[stage]) if stage in METHODS else stage


def _colour(stage: str) -> str:
    return REGISTERED.colour(METHODS[stage]) if stage in METHODS else OTHERS.get(stage, GREY)


def write_growth(results: Path, image: Path) -> None:
    """Draw the committed table (`docs/results`) to a PNG."""
    table = read_table(results / "bench/growth.tsv")
    save_png(draw_growth(table), image, table)
