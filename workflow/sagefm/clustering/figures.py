"""Clusterings in numbers (claim 3): a few metrics with their intervals, batch against biology."""

from collections.abc import Mapping
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import MaxNLocator

from sagefm.clustering.tables import Key, rows_of
from sagefm.clustering.titles import batch_against_biology, best_agreement
from sagefm.common.text import count
from sagefm.common.verdict import FEWEST
from sagefm.plotting.beyond import mark_beyond
from sagefm.plotting.headline import headline
from sagefm.plotting.style import DOUBLE, NEUTRAL, head, styled
from sagefm.representations.catalogue import REGISTERED, Catalogue

NONE_AT_ZERO = ("ari", "purity_across")
"""Metrics whose panels show 0, where there is nothing to be seen."""

BIOLOGY = ("label", "organ", "disease_state")

MEASURES = {
    "purity": "neighbour purity",
    "group_silhouette": "silhouette",
}

MARKERS = "osD^vPX<>"

NAME_CHARACTERS, NAMES_A_ROW = 22, 4
"""A line of a name in a legend, where longer names are broken; and names side by side."""

FACES = "filled: not centred; hollow: centred"
"""What the marks say."""


def fill_metrics(
    figure: FigureBase,
    summary: pd.DataFrame,
    wanted: Mapping[Key, str],
    catalogue: Catalogue = REGISTERED,
) -> None:
    """Fill a part of a figure with every representation's mean of a few metrics, a panel each.

    Filled: not centred; hollow: centred per section, for metrics of the pooled cohort. Thin: the
    95 % interval, of `FEWEST` patients or more; thick: lowest to highest seed. A panel shows no
    more than thrice the spread of its means, and cuts longer intervals off: a triangle marks
    their ends. The title is which method agrees best with the labels.

    Parameters
    ----------
    summary
        Of `tables.clustering_summary`.
    wanted
        Titles of the panels; those that could not be scored are left out.
    catalogue
        Names and colours of the representations.
    """
    found = {key: own for key in wanted if len(own := _rows(summary, key))}
    first = next(iter(found.values()))
    known = first[~first["centred"]].set_index("representation")["mean"]
    order = known.reindex(summary["representation"].unique()).sort_values(na_position="first").index
    markers = _markers(summary, catalogue)
    panels = figure.subplots(1, len(found), squeeze=False, sharey=True)
    for ax, (key, own) in zip(panels.flat, found.items(), strict=True):
        _panel(ax, own, list(order), markers, key[-1] in NONE_AT_ZERO, catalogue)
        ax.set_title(wanted[key], fontsize=7.5)
    handles = [
        panels[0, 0].plot([], [], "o", color=NEUTRAL, mfc=face, label=label)[0]
        for face, label in ((NEUTRAL, "not centred"), ("white", "centred per section"))
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    nouns = {"n": "patient", "n_sections": "section", "spots": "spot", "seeds": "seed"}
    counts = [count(first[column].max(), noun) for column, noun in nouns.items()]
    headline(figure, best_agreement(summary, catalogue), ", ".join(counts))


@styled
def draw_batch_biology(summary: pd.DataFrame, catalogue: Catalogue = REGISTERED) -> Figure:
    """What a cohort's spots lie near to: their own patient (right) or their own kind (up).

    A line leads from a representation (filled) to the same centred per section (hollow). The title
    is in how many methods neighbours share the patient more often than their kind.

    Parameters
    ----------
    summary
        Of `tables.clustering_summary`.
    catalogue
        Names and colours of the representations.
    """
    named = -(-summary["representation"].nunique() // NAMES_A_ROW)
    figure = Figure(figsize=(DOUBLE, 2.7 * max(len(_biology(summary)), 1) + 0.24 * named + 0.35))
    fill_batch_biology(figure, summary, catalogue=catalogue)
    if biology := _biology(summary):
        spots = summary[summary["clustering"] == "none"]
        nouns = {"n": "patient", "spots": "spot"}
        counts = [count(spots[column].max(), noun) for column, noun in nouns.items()]
        finding = batch_against_biology(summary, biology[0], catalogue)
        headline(figure, finding, f"{', '.join(counts)}; {FACES}")
    return figure


def fill_batch_biology(
    figure: FigureBase,
    summary: pd.DataFrame,
    measures: Mapping[str, str] = MEASURES,
    marks_of: str = "",
    catalogue: Catalogue = REGISTERED,
) -> None:
    """Fill a figure, or a part of one, with `draw_batch_biology`; with some `MEASURES` alone.

    `marks_of` is the letter of a part by `fill_metrics`, which names the marks in place of a
    legend.
    """
    rows = summary[(summary["clustering"] == "none") & summary["mean"].notna()]
    factors = _biology(summary)
    names = list(pd.unique(rows["representation"]))
    colours = {name: catalogue.colour(name) for name in names}
    markers = _markers(summary, catalogue)
    panels = figure.subplots(max(len(factors), 1), len(measures), squeeze=False)
    for line, factor in zip(panels, factors, strict=False):
        for ax, (metric, words) in zip(line, measures.items(), strict=True):
            own = rows[rows["metric"] == metric]
            wide = own.pivot_table(
                index=["representation", "centred"], columns="factor", values="mean"
            )
            for name in names:
                points = wide.reindex([(name, False), (name, True)])
                if not {factor, "patient"} <= set(points):
                    continue
                x, y = points["patient"].to_numpy(), points[factor].to_numpy()
                marker, colour = markers[name], colours[name]
                ax.plot(x, y, color=colour, lw=0.8, alpha=0.7)
                # What centring does not move shows as a dot in a ring.
                ax.plot(x[1:], y[1:], marker, color=colour, ms=6.5, mfc="white")
                ax.plot(x[:1], y[:1], marker, color=colour, ms=4.5, label=catalogue.title(name))
            ax.set_xlabel(f"{words} of patients (batch)")
            ax.set_ylabel(f"{words} of\n{factor.replace('_', ' ')} (biology)")
            ax.grid()
            ax.margins(0.08)
            ax.xaxis.set_major_locator(MaxNLocator(5))
    if not factors:
        for ax in panels.flat:
            ax.set_axis_off()
        head(figure, "no biology is known of this cohort's spots")
        return
    finding = batch_against_biology(summary, factors[0], catalogue)
    if marks_of:
        headline(figure, finding, f"marks as in {marks_of}; {FACES}")
        return
    handles, labels = panels[0, 0].get_legend_handles_labels()
    labels = [fill(label, NAME_CHARACTERS) for label in labels]
    figure.legend(handles, labels, loc="outside lower center", ncols=NAMES_A_ROW)
    headline(figure, finding, FACES)


def _markers(summary: pd.DataFrame, catalogue: Catalogue) -> dict[str, str]:
    """A marker for each representation: those of one colour have different ones."""
    names = pd.Series(summary["representation"].unique())
    number = names.groupby(names.map(catalogue.colour)).cumcount()
    return {name: MARKERS[i % len(MARKERS)] for name, i in zip(names, number, strict=True)}


def _biology(summary: pd.DataFrame) -> list[str]:
    """The factors that are biology, as far as the table has them."""
    rows = summary[(summary["clustering"] == "none") & summary["mean"].notna()]
    return [factor for factor in BIOLOGY if factor in set(rows["factor"])]


def _rows(summary: pd.DataFrame, key: Key) -> pd.DataFrame:
    own = rows_of(summary, key)
    return own[own["mean"].notna()]


def _panel(
    ax: Axes,
    rows: pd.DataFrame,
    order: list[str],
    markers: Mapping[str, str],
    with_zero: bool,
    catalogue: Catalogue,
) -> None:
    """One line a representation: intervals, and marks over them."""
    both = rows["centred"].any()
    for _, row in rows.iterrows():
        y = _line(row, order, both)
        colour = catalogue.colour(row["representation"])
        if row["n"] >= FEWEST:
            ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=1, alpha=0.6)
        seeds = [row["seed_low"], row["seed_high"]]
        ax.plot(seeds, [y, y], color=colour, lw=2.6, alpha=0.6, solid_capstyle="butt")
        face = "white" if row["centred"] else colour
        marker = markers[row["representation"]]
        ax.plot(row["mean"], y, marker, ms=3.5, color=colour, mfc=face, mew=0.8)
    ax.set_yticks(range(len(order)), [catalogue.title(name) for name in order])
    ax.set_ylim(-0.6, len(order) - 0.4)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(3))
    means = rows["mean"]
    ends = rows[["mean", "low", "high"]].where(rows["n"] >= FEWEST, rows["mean"], axis=0)
    spread = means.max() - means.min()
    left = max(ends.min(axis=None), means.min() - spread)
    right = min(ends.max(axis=None), means.max() + spread)
    if with_zero:
        ax.axvline(0, color=NEUTRAL, lw=0.6)
        left, right = min(left, 0), max(right, 0)
    if left < right:
        room = 0.08 * (right - left)
        ax.set_xlim(left - room, right + room)
        for _, row in rows[rows["n"] >= FEWEST].iterrows():
            at = [_line(row, order, both)] * 2
            mark_beyond(ax, [row["low"], row["high"]], at, catalogue.colour(row["representation"]))


def _line(row: pd.Series, order: list[str], both: bool) -> float:
    """Where a representation is drawn: a little above its line, and below if it is centred."""
    shift = (-0.16 if row["centred"] else 0.16) if both else 0
    return order.index(row["representation"]) + shift
