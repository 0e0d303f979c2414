"""Recovery by how often a gene is detected, by organ, and by patients seen (claim 2)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from sagefm.common.text import capital, count
from sagefm.common.verdict import FEWEST
from sagefm.plotting.colours import NO_COLOURS, predictor_colours
from sagefm.plotting.headline import headline
from sagefm.plotting.style import (
    DOUBLE,
    PREDICTOR_MARKERS,
    group_title,
    percent_axis,
    present,
    styled,
)
from sagefm.recovery.figures import groups_of, predictor_legend
from sagefm.recovery.titles import JUDGED, frequent_genes

SHARE, ERROR = JUDGED, "patients_relative_mse"
"""Columns drawn, each with an interval."""


@styled
def draw_strata(summary: pd.DataFrame, colours: Mapping[str, str] = NO_COLOURS) -> Figure:
    """Share of genes recovered and error, by detection rate, organ, and patients seen or unseen.

    Means over patients of what holds within sections, with 95% intervals of `FEWEST` patients or
    more. The title is how the first model fares with rare and with frequent genes.

    Parameters
    ----------
    summary
        Of `tables.recovery_summary`, with columns model and cohort.
    colours
        Of the models.
    """
    summary = summary.assign(
        stratum=summary["stratum"].fillna("unknown"),
        **{SHARE: summary[SHARE].where(summary["median_pearson"].notna())},
    )
    groups = groups_of(summary)
    strata = [_sample_strata(group) for _, group in groups]
    heights = [0.95 + 0.22 * own["stratum"].nunique() for own in strata]
    figure = Figure(figsize=(DOUBLE, sum(heights) + 1.5))
    panels = figure.subplots(
        len(groups), 4, squeeze=False, height_ratios=heights, width_ratios=[1.4, 1.4, 0.8, 0.8]
    )
    for line, (names, group), own in zip(panels, groups, strata, strict=True):
        detection = group[group["stratum_kind"] == "detection"]
        palette = predictor_colours(names[1], colours)
        for ax, value in zip(line, (SHARE, ERROR, SHARE, ERROR), strict=True):
            if ax in line[:2]:
                _over_bins(ax, detection, value, palette)
            else:
                _over_strata(ax, own, value, palette)
        percent_axis(line[0], "y")
        percent_axis(line[2], step=50)
        _log_axis(line[1], "y")
        line[3].set_yticklabels([])
        line[3].xaxis.set_major_locator(MaxNLocator(3))
        n = count(detection["patients_n"].max(), "patient")
        line[0].set_title(
            f"{group_title(names)}: {n}, {count(detection['n_samples'].max(), 'section')}, "
            f"{count(detection['n_spots'].max(), 'spot')}"
        )
        line[0].set_ylabel("genes recovered\nin a section (%)")
        line[1].set_ylabel("error (neighbour\nmean: 1)")
    for ax in panels[-1, :2]:
        ax.set_xlabel("detected in up to (%)\n(thousand genes)")
    panels[-1, 2].set_xlabel("recovered (%)")
    panels[-1, 3].set_xlabel("error")
    models = summary["model"].unique()
    predictor_legend(figure, present(summary["predictor"]), models, colours)
    names, first = groups[0]
    headline(figure, capital(f"{group_title(names)}: {frequent_genes(first)}"))
    return figure


def _upper(stratum: str) -> float:
    """The upper end of a bin, in per cent."""
    return 100 * float(stratum.split("-")[1])


def _log_axis(ax: Axes, axis: str) -> None:
    """A logarithmic axis of ratios, with plain numbers."""
    getattr(ax, f"set_{axis}scale")("log")
    own = getattr(ax, f"{axis}axis")
    own.set_major_locator(FixedLocator([0.25, 0.5, 1, 2, 4, 8, 16]))
    own.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    own.set_minor_formatter(NullFormatter())


def _sample_strata(group: pd.DataFrame) -> pd.DataFrame:
    """Rows of strata of sections: organs, then patients seen or unseen, named as such."""
    strata = group[group["stratum_kind"].isin(["organ", "patients"])]
    prefix = strata["stratum_kind"].map({"organ": "", "patients": "patients "})
    n = strata["patients_n"].map(lambda n: count(n, "patient"))
    return strata.assign(stratum=prefix + strata["stratum"] + "\n" + n)


def _over_bins(ax: Axes, detection: pd.DataFrame, value: str, colours: Mapping[str, str]) -> None:
    """A line a predictor over bins of detection rate; the bins' upper ends and genes below."""
    bins = detection.drop_duplicates("stratum")
    for predictor, shift in _shifts(detection, 0.25):
        own = detection[detection["predictor"] == predictor].set_index("stratum")
        own = own.reindex(bins["stratum"])
        colour, marker = colours[predictor], PREDICTOR_MARKERS[predictor]
        x = np.arange(len(bins)) + shift
        ax.plot(x, own[value], color=colour, marker=marker, ms=3.5, mew=0, lw=0.8)
        ax.vlines(x, *_ends(own, value), color=colour, lw=0.8)
    labels = [
        f"{_upper(stratum):g}\n({genes / 1000:.1f})"
        for stratum, genes in zip(bins["stratum"], bins["patients_genes"].fillna(0), strict=True)
    ]
    ax.set_xticks(range(len(bins)), labels)
    ax.grid(axis="y")


def _over_strata(ax: Axes, strata: pd.DataFrame, value: str, colours: Mapping[str, str]) -> None:
    """A row a stratum, and in it a dot with its interval for each predictor that has a value."""
    names = list(pd.unique(strata["stratum"]))
    for predictor, shift in _shifts(strata, 0.6):
        own = strata[strata["predictor"] == predictor].set_index("stratum").reindex(names)
        y, colour = np.arange(len(names)) + shift, colours[predictor]
        ax.hlines(y, *_ends(own, value), color=colour, lw=0.8)
        ax.plot(own[value], y, PREDICTOR_MARKERS[predictor], color=colour, mew=0, ms=3.5)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")


def _shifts(table: pd.DataFrame, width: float) -> list[tuple[str, float]]:
    """Predictors, and how far each is drawn beside its place, so that intervals do not overlap."""
    predictors = present(table["predictor"])
    places = np.linspace(-width / 2, width / 2, len(predictors)) if len(predictors) > 1 else [0.0]
    return [*zip(predictors, map(float, places), strict=True)]


def _ends(own: pd.DataFrame, value: str) -> np.ndarray:
    """Ends of the intervals (2, rows), of `FEWEST` patients or more and where there is a value."""
    known = (own["patients_n"] >= FEWEST) & own[value].notna()
    ends = own[[f"{value}_low", f"{value}_high"]].where(known)
    if value == SHARE:
        ends = ends.clip(0, 1)
    return ends.to_numpy(dtype=float).T
