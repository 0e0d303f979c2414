"""Time and memory of stages against spots, from the committed table."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from sagefm.common.io import read_table
from sagefm.plotting.style import DOUBLE, NEUTRAL, categorical, head, save_png, styled
from sagefm.report.cost_figure import name_at_right, spread

IMAGE = "growth.png"


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
        f"{most['stage']} takes the most memory: {most['peak_gb']:.1f} GB at "
        f"{most['spots']:,} spots",
    )
    return figure


def _lines(ax: Axes, table: pd.DataFrame, column: str) -> None:
    """A line for each stage, with its name at the right."""
    colours = categorical(table["stage"])
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
        ax.plot(own["spots"], own[column], "o-", color=colours[stage])
        end, height = (row.spots, getattr(row, column)), 10**place if logged else place
        name_at_right(ax, stage, end, height, color=colours[stage])
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.set_xlabel("spots")
    ax.grid(axis="y")


def write_growth(results: Path, image: Path) -> None:
    """Draw the committed table (`docs/results`) to a PNG."""
    table = read_table(results / "bench/growth.tsv")
    save_png(draw_growth(table), image, table)
