"""Claims against epochs and against sections, drawn from the study's table."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from sagefm.common.io import read_table
from sagefm.common.text import count
from sagefm.plotting.colours import MODEL_COLOURS
from sagefm.plotting.style import DOUBLE, GREY, NEUTRAL, head, save_png, styled
from sagefm.report.study import TABLE, UNTRAINED

IMAGE = "study.png"

SCORES = {
    "recovered": "genes recovered\nwithin a section",
    "ari": "ARI of k-means\nin a section",
    "pathology": "balanced accuracy,\npathologist's classes",
    "tumour": "balanced accuracy,\ncancer or not",
}
"""Scores that are drawn, with the name of their axis."""

EPOCHS_APART, SECTIONS_APART = 1.9, 1.75
"""Least ratio of two values whose numbers have room beside each other, on either axis."""

COLOURS = [*(MODEL_COLOURS[place] for place in (0, 3, 1, 2)), NEUTRAL, GREY]
"""Of the series in their order; those of the demo's models are the demo's."""

MARKERS = "oDs^v<"

ASIDE = 1.05
"""From a series to the next, as a ratio of places: their intervals stand beside each other."""


@styled
def draw_study(table: pd.DataFrame) -> Figure:
    """Above, scores against epochs on all sections; below, of the first series against sections.

    Parameters
    ----------
    table
        Of `study.claims_against_training`; its first series is the one trained on fewer sections.
    """
    trained = table[table["series"] != UNTRAINED]
    first = trained["series"].iloc[0]
    own = trained[trained["series"] == first]
    most = own["sections"].max()
    all_sections = trained[(trained["series"] != first) | (trained["sections"] == most)]
    fewer = own[own["sections"] < most]
    same = own["epochs"].isin(fewer["epochs"])
    figure = Figure(figsize=(DOUBLE, 4.2))
    panels = figure.subplots(2, len(SCORES), squeeze=False)
    for column, (score, name) in enumerate(SCORES.items()):
        above, below = panels[:, column]
        reference = table.loc[table["series"] == UNTRAINED, score].max()
        for ax in (above, below):
            ax.axhline(reference, color=NEUTRAL, ls="--", lw=0.9, label="best without training")
            ax.set_ylabel(name)
            ax.grid(axis="y")
        styles = zip(pd.unique(trained["series"]), COLOURS, MARKERS, strict=False)
        for number, (series, colour, marker) in enumerate(styles):
            part = all_sections[all_sections["series"] == series]
            part = part.assign(place=part["trained_epochs"].astype(float) * ASIDE**number)
            _line(above, part, "place", score, colour, marker, series)
        _line(below, own[same], "sections", score, COLOURS[0], MARKERS[0], first)
        _epochs(above, all_sections["trained_epochs"])
        below.set_xscale("log")
        _ticks(below, own.loc[same, "sections"], SECTIONS_APART)
        below.set_xlabel("training sections")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    head(figure, finding(table))
    return figure


def finding(table: pd.DataFrame) -> str:
    """What the longest training of the first series reaches, in a line."""
    trained = table[table["series"] != UNTRAINED]
    last = longest(trained[trained["series"] == trained["series"].iloc[0]])
    others = table[table["series"] == UNTRAINED]
    ahead = sum(last[score] > others[score].max() for score in SCORES)
    return (
        f"{_upper(last['series'])}, {count(last['trained_epochs'], 'epoch')} on "
        f"{count(last['sections'], 'section')}: better than all that needs no training in "
        f"{ahead or 'none'} of {len(SCORES)} scores"
    )


def longest(series: pd.DataFrame) -> pd.Series:
    """The model of a series that was trained for most epochs on most sections."""
    return series.sort_values(["sections", "epochs"]).iloc[-1]


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def _line(
    ax: Axes, part: pd.DataFrame, x: str, score: str, colour: str, marker: str, label: str
) -> None:
    """Means with their intervals, joined."""
    part = part.sort_values(x)
    places = part[x].to_numpy(float)
    value, low, high = (part[f"{score}{b}"].to_numpy(float) for b in ("", "_low", "_high"))
    ax.vlines(places, low, high, color=colour, lw=0.8, alpha=0.4)
    ax.plot(places, value, color=colour, marker=marker, ms=4, mec="white", mew=0.5, label=label)


def _epochs(ax: Axes, epochs: pd.Series) -> None:
    """An axis of epochs that has room for 0, and otherwise is logarithmic."""
    ax.set_xscale("symlog", linthresh=1, linscale=0.6)
    _ticks(ax, epochs, EPOCHS_APART)
    ax.set_xlabel("epochs")


def _ticks(ax: Axes, values: pd.Series, apart: float) -> None:
    """A tick at every value that there is, a number at those far enough below the next."""
    places = sorted({float(value) for value in values}, reverse=True)
    named = places[:1]
    for place in places[1:]:
        if named[-1] >= apart * place:
            named.append(place)
    ax.xaxis.set_major_locator(FixedLocator(places))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}" if value in named else "")


def write_study(folder: Path, image: Path) -> None:
    """Draw the committed table of the study (in `folder`) to a PNG."""
    table = read_table(folder / TABLE)
    save_png(draw_study(table), image, table)
