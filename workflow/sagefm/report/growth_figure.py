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


def memory_a_spot(table: pd.DataFrame) -> pd.Series:
    """Kilobytes of memory for each further spot, by stage, from its last size but one to its last.

    Parameters
    ----------
    table
        Of `make bench-growth`: stage, spots, processor_seconds, peak_gb.
    """
    slopes = {}
    for stage, own in table.groupby("stage", sort=False):
        before, last = own.sort_values("spots")[["spots", "peak_gb"]].to_numpy()[-2:]
        spots, gigabytes = last - before
        # Less than before, where a larger cohort is read in parts, is none.
        slopes[stage] = max(1e6 * gigabytes / spots, 0)
    return pd.Series(slopes)


@styled
def draw_growth(table: pd.DataFrame) -> Figure:
    """Processor seconds and peak memory of each stage against spots, a panel each.

    The dotted line is time in proportion to spots.

    Parameters
    ----------
    table
        See `memory_a_spot`.
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
    slopes = memory_a_spot(table)
    head(
        figure,
        f"Each further spot takes {slopes.min():.1f} kB of memory ({slopes.idxmin()}) to "
        f"{slopes.max():.0f} kB ({slopes.idxmax()})",
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
    figure = draw_growth(read_table(results / "bench/growth.tsv"))
    save_png(figure, image)
