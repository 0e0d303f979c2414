"""Table figure of all metrics of all representations, in the style of scib (claim 3)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from sagefm.clustering.tables import HEADLINE, Key, rows_of, scored_rows
from sagefm.clustering.titles import TOTAL, leaders
from sagefm.common.text import count, with_sign
from sagefm.common.verdict import FEWEST
from sagefm.plotting.colours import GRID
from sagefm.plotting.headline import balanced
from sagefm.plotting.style import DOUBLE, NEUTRAL, head, styled
from sagefm.representations.catalogue import REGISTERED, Catalogue

ROW, HEADER, NAME, FOOT = 0.17, 0.97, 1.98, 0.24
"""Row height, header height, left end of the metrics, and height below the rows, in inches."""

FITTED = "fitted on\nthese spots"
"""Heading of the dots that mark transductive representations."""

COLOURS = colormaps["YlGnBu"]


@dataclass(frozen=True)
class Column:
    """Column of a metric: how it is drawn (`bar`, `circle` or `range`), and its width in inches."""

    key: Key
    title: str
    kind: str = "circle"
    width: float = 0.255


def _pooled(metric: str, title: str) -> Column:
    return Column(("cohort", "integration", "label", metric), title)


GROUPS = {
    "summary": [
        Column(TOTAL, "total", "bar", 0.35),
        Column((*TOTAL[:3], "bio_conservation"), "bio conservation", "bar", 0.35),
        Column((*TOTAL[:3], "batch_correction"), "batch correction", "bar", 0.35),
    ],
    "labels": [
        _pooled("nmi", "NMI, k-means"),
        _pooled("ari", "ARI, k-means"),
        _pooled("silhouette", "silhouette"),
        _pooled("isolated_labels", "isolated labels"),
        _pooled("clisi", "cLISI"),
        Column(("cohort", "none", "label", "purity_across"), "purity across patients"),
    ],
    "patients": [
        _pooled("bras", "BRAS"),
        _pooled("ilisi", "iLISI"),
        _pooled("graph_connectivity", "graph connectivity"),
        _pooled("cilisi", "CiLISI"),
    ],
    "within a section": [
        Column(HEADLINE, "ARI, k-means", "range", 0.85),
        Column(("section", "leiden", "label", "ari"), "ARI, Leiden"),
        Column(("section", "kmeans", None, "neighbour_excess"), "coherence"),
    ],
}
"""Columns by group; higher is better in all."""

LINE = 95
"""Number of characters per line of a title."""

GAP = 0.08
"""Gap between groups, in inches."""


@styled
def draw_metric_table(summary: pd.DataFrame, catalogue: Catalogue = REGISTERED) -> Figure:
    """Draw representations in rows and metrics in columns: not centred, and below, centred.

    Colours of a column range from the lowest to the highest method of both parts.

    Rows are sorted by the total, or without it by the agreement of k-means with labels. Controls
    and ceilings follow below a line. Centring changes nothing within a section, so the second part
    has only columns of the pooled cohort.

    Parameters
    ----------
    summary
        Result of `tables.clustering_summary`.
    catalogue
        Names, colours and roles of the representations.
    """
    columns = {
        group: [column for column in own if len(scored_rows(summary, column.key, False))]
        for group, own in GROUPS.items()
    }
    columns = {group: own for group, own in columns.items() if own}
    if not columns:
        figure = Figure(figsize=(DOUBLE, 0.6))
        head(figure, "no spot of this cohort has a label to score")
        return figure
    order = _order(summary, catalogue)
    pooled = {group: own for group, own in columns.items() if own[0].key[0] == "cohort"}
    parts = [("not centred", False, columns)] + ([("centred", True, pooled)] if pooled else [])
    height = HEADER + ROW * len(order) + FOOT
    finding = balanced(leaders(summary, catalogue), LINE)
    title_height = 0.15 * len(finding)
    figure = Figure(figsize=(DOUBLE, len(parts) * height + 0.4 + title_height))
    figure.set_layout_engine("none")  # the axes are in inches
    total = figure.get_figheight()
    scales = {
        column.key: _scale(summary, column.key, catalogue)
        for own in columns.values()
        for column in own
    }
    for number, (title, centred, own) in enumerate(parts):
        bottom = (len(parts) - 1 - number) * height / total
        ax = figure.add_axes((0, bottom, 1, height / total))
        ax.set(xlim=(0, DOUBLE), ylim=(-ROW * len(order) - FOOT, HEADER))
        ax.set_axis_off()
        sign = f"$\\mathbf{{{'ab'[number]}}}$   " if len(parts) > 1 else ""
        ax.text(0.05, HEADER - 0.12, sign + title, fontsize=8)
        _fill(ax, summary[summary["centred"] == centred], own, order, columns, scales, catalogue)
    _draw_key(ax, -ROW * len(order) - 0.14)
    figure.suptitle("\n".join(finding), x=0.01, y=1 - 0.06 / total, ha="left", va="top")
    counts_at = 1 - (0.12 + title_height) / total
    figure.text(0.01, counts_at, _counts(summary), fontsize=7, color=NEUTRAL, va="top")
    return figure


def _order(summary: pd.DataFrame, catalogue: Catalogue) -> list[str]:
    """Sort representations from best to worst, with bounds last."""
    ranks = [scored_rows(summary, key, False)["mean"] for key in (TOTAL, HEADLINE)]
    by = next((rank for rank in ranks if len(rank)), ranks[0])
    names = by.reindex(pd.unique(summary["representation"])).sort_values(ascending=False).index
    return sorted(names, key=catalogue.is_bound)


def _counts(summary: pd.DataFrame) -> str:
    nouns = {"n": "patient", "n_sections": "section", "spots": "labelled spot", "seeds": "seed"}
    found = (scored_rows(summary, key, False) for key in (HEADLINE, TOTAL))
    first = next(rows for rows in found if len(rows))
    return ", ".join(count(first[column].max(), noun) for column, noun in nouns.items())


def _places(columns: dict[str, list[Column]]) -> Iterator[tuple[str, Column, float]]:
    """Yield group, column and left end of each column, in inches."""
    left = NAME
    for group, own in columns.items():
        for column in own:
            yield group, column, left
            left += column.width
        left += GAP


def _fill(
    ax: Axes,
    summary: pd.DataFrame,
    columns: dict[str, list[Column]],
    order: list[str],
    whole: dict[str, list[Column]],
    scales: dict[Key, tuple[float, float]],
    catalogue: Catalogue,
) -> None:
    """Draw a table into axes in units of inches, with the first row below 0."""
    places = [(group, column, left) for group, column, left in _places(whole) if group in columns]
    right = max(left + column.width for _, column, left in places)
    centres = {name: -ROW * (row + 0.5) for row, name in enumerate(order)}
    bounds = [name for name in order if catalogue.is_bound(name)]
    facts = summary.drop_duplicates("representation").set_index("representation")
    for name, y in centres.items():
        ax.add_patch(Rectangle((0.05, y - 0.045), 0.09, 0.09, color=catalogue.colour(name)))
        ax.text(0.2, y, _short(catalogue.title(name)), va="center", fontsize=7)
        if name in facts.index and facts.loc[name, "transductive"]:
            ax.plot(NAME - 0.14, y, "o", color=NEUTRAL, ms=3)
    _head(ax, NAME - 0.14, FITTED)
    lines = [(0, 0.8)] + ([(-ROW * (len(order) - len(bounds)), 0.6)] if bounds else [])
    for y, width in lines:
        ax.plot([0.05, right], [y, y], color=NEUTRAL, lw=width)
    groups = pd.DataFrame(places, columns=["group", "column", "left"]).groupby("group", sort=False)
    for group, own in groups:
        ends = own["left"].min(), own["left"].max() + own["column"].iloc[-1].width
        ax.text(np.mean(ends), HEADER - 0.12, group, ha="center", fontsize=7, fontweight="bold")
        ax.plot([ends[0] + 0.03, ends[1] - 0.03], [HEADER - 0.17] * 2, color=NEUTRAL, lw=0.5)
    for _, column, left in places:
        rows = scored_rows(summary, column.key, bool(summary["centred"].iloc[0]))
        middle = left + column.width / 2
        if column.kind == "range":
            ax.text(middle, 0.06, column.title, ha="center", fontsize=7)
            _ranges(ax, rows, centres, left + 0.06, left + column.width - 0.06)
            continue
        _head(ax, middle, column.title.replace(" ", "\n", 1))
        draw = _bar if column.kind == "bar" else _circle
        for name, row in rows.iterrows():
            draw(ax, left, column.width, centres[name], row["mean"], scales[column.key])


def _scale(summary: pd.DataFrame, key: Key, catalogue: Catalogue) -> tuple[float, float]:
    """Return the lowest and highest mean of a metric over methods, centred or not."""
    rows = rows_of(summary, key).dropna(subset="mean")
    methods = rows.loc[~rows["representation"].map(catalogue.is_bound).astype(bool), "mean"]
    return (methods.min(), methods.max()) if len(methods) else (0.0, 1.0)


def _draw_key(ax: Axes, y: float) -> None:
    """Draw the colour key, from the left below the last table."""
    ax.text(0.05, y, "colour: methods of a column, lowest", va="center", fontsize=7)
    for step in range(16):
        face = COLOURS(_shade(step, (0, 15)))
        ax.add_patch(Rectangle((2.05 + 0.05 * step, y - 0.05), 0.05, 0.1, color=face, lw=0))
    ax.text(2.92, y, "highest (bars: the same, lighter)", va="center", fontsize=7)


def _head(ax: Axes, x: float, words: str) -> None:
    """Draw the name of a column, upright above it."""
    ax.text(x, 0.05, words, rotation=90, ha="center", va="bottom", fontsize=7, linespacing=0.9)


def _shade(value: float, scale: tuple[float, float]) -> float:
    """Return the position of a value between the methods' extremes, 0.1 to 0.85, for its colour."""
    low, high = scale
    return 0.1 + 0.75 * float(np.clip((value - low) / (high - low), 0, 1) if high > low else 0.5)


def _circle(
    ax: Axes, left: float, width: float, y: float, value: float, scale: tuple[float, float]
) -> None:
    shade = _shade(value, scale)
    ax.add_patch(Circle((left + width / 2, y), 0.082, color=COLOURS(shade), lw=0))
    colour = "white" if shade > 0.55 else "black"
    ax.text(left + width / 2, y, _number(value), ha="center", va="center", fontsize=6,
            color=colour)  # fmt: skip


def _bar(
    ax: Axes, left: float, width: float, y: float, value: float, scale: tuple[float, float]
) -> None:
    """Draw a bar on a scale from 0 to 1."""
    length = (width - 0.05) * min(max(value, 0), 1)
    face = COLOURS(0.5 * _shade(value, scale))  # light, for the number on it
    ax.add_patch(Rectangle((left + 0.02, y - 0.06), length, 0.12, color=face, lw=0))
    ax.text(left + 0.05, y, _number(value), va="center", fontsize=6.5)


def _ranges(
    ax: Axes, rows: pd.DataFrame, centres: dict[str, float], left: float, right: float
) -> None:
    """Draw the mean over patients (dot), its 95% interval (thin) and the range of seeds (thick)."""
    intervals = rows["n"] >= FEWEST
    ends = rows[["mean", "seed_low", "seed_high"]].stack()
    ends = pd.concat([ends, rows.loc[intervals, ["low", "high"]].stack()])
    low, high = min(0.0, ends.min()), ends.max() * 1.02

    def at(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    bottom = min(centres.values()) - ROW / 2
    step = next(step for step in (0.1, 0.2, 0.5, 1.0) if (high - low) / step <= 4)
    for tick in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step:
        ax.plot([at(tick)] * 2, [0, bottom], color=GRID, lw=0.5, zorder=0)
        ax.text(at(tick), bottom - 0.03, with_sign(tick, "g"), ha="center", va="top", fontsize=6.5)
    for name, row in rows.iterrows():
        y = centres[name]
        if row["n"] >= FEWEST:
            ax.plot([at(row["low"]), at(row["high"])], [y, y], color=NEUTRAL, lw=0.7)
        ax.plot([at(row["seed_low"]), at(row["seed_high"])], [y, y], color=COLOURS(0.6), lw=3,
                solid_capstyle="butt")  # fmt: skip
        ax.plot(at(row["mean"]), y, "o", color="black", ms=2.2)


def _number(value: float) -> str:
    """Format with two digits and without the leading 0: `.42`, `−.03`, `1.0`."""
    text = with_sign(value, ".2f")
    return "1.0" if text == "1.00" else text.replace("0.", ".", 1)


def _short(title: str, most: int = 34) -> str:
    return title if len(title) <= most else title[: most - 1].rstrip() + "…"
