"""Recovery (claim 2) by detection rate, organ, and patients seen or unseen."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from sagefm.figures.recovery_parts import groups_of, predictor_dots, predictor_handles
from sagefm.figures.style import (
    DOUBLE,
    PREDICTOR_COLOURS,
    PREDICTOR_MARKERS,
    group_title,
    percent_axis,
    present,
    styled,
)
from sagefm.told import count


@styled
def draw_strata(summary: pd.DataFrame) -> Figure:
    """Share of genes recovered and error, by detection rate, organ, and patients seen or unseen.

    Parameters
    ----------
    summary
        Of `recovery_tables.summary_table`, with columns model and cohort.
    """
    summary = summary.assign(
        stratum=summary["stratum"].fillna("unknown"),
        recovered_p05=summary["recovered_p05"].where(summary["median_pearson"].notna()),
        relative_mse=summary["mse"] / _untrained_mse(summary),
    )
    groups = groups_of(summary)
    heights = [1.1 + 0.15 * _sample_strata(group)["stratum"].nunique() for _, group in groups]
    figure = Figure(figsize=(DOUBLE, sum(heights) + 0.75))
    panels = figure.subplots(
        len(groups), 4, squeeze=False, height_ratios=heights, width_ratios=[1.25, 1.25, 1, 1]
    )
    for row, (names, group) in zip(panels, groups, strict=True):
        detection = group[group["stratum_kind"] == "detection"]
        _lines(row[0], detection, "recovered_p05")
        percent_axis(row[0], "y")
        _lines(row[1], detection, "relative_mse")
        row[1].set_yscale("log")
        row[1].yaxis.set_major_locator(FixedLocator([0.25, 0.5, 1, 2, 4, 8, 16]))
        row[1].yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        row[1].yaxis.set_minor_formatter(NullFormatter())
        strata = _sample_strata(group)
        labels = strata["stratum"] + strata["n_samples"].map(lambda n: f"\n{count(n, 'sample')}")
        for ax, value in zip(row[2:], ("recovered_p05", "mse"), strict=True):
            wide = strata.assign(label=labels).pivot_table(
                index="predictor", columns="label", values=value, sort=False, dropna=False
            )
            predictor_dots(ax, wide.reset_index(), {label: label for label in wide.columns})
        row[3].set_yticklabels([])
        percent_axis(row[2], step=50)
        row[3].set_xlim(0, 1.1 * strata["mse"].max())
        row[3].xaxis.set_major_locator(MaxNLocator(3))
        row[0].set_title(
            f"{group_title(names)}: {count(detection['n_spots'].max(), 'spot')}, "
            f"{count(detection['n_samples'].max(), 'sample')}"
        )
        row[0].set_ylabel("genes recovered\n(%, p < 0.05)")
        row[1].set_ylabel("MSE relative to\nneighbour mean")
    for ax in panels[-1, :2]:
        ax.set_xlabel("detection rate, up to (%)\n(thousand genes)")
    panels[-1, 2].set_xlabel("genes recovered\n(%, p < 0.05)")
    panels[-1, 3].set_xlabel("mean\nsquared error")
    handles = predictor_handles(present(summary["predictor"]))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _untrained_mse(summary: pd.DataFrame) -> np.ndarray:
    """The neighbour mean's error in the stratum of each row: what needs no training."""
    stratum = ["model", "cohort", "stratum_kind", "stratum"]
    untrained = summary[summary["predictor"] == "neighbour_mean"]
    both = summary[stratum].merge(untrained[[*stratum, "mse"]], on=stratum, how="left")
    return both["mse"].to_numpy()


def _sample_strata(group: pd.DataFrame) -> pd.DataFrame:
    """Rows of strata of samples: organs, then patients seen or unseen, named as such."""
    strata = group[group["stratum_kind"].isin(["organ", "patients"])]
    prefix = strata["stratum_kind"].map({"organ": "", "patients": "patients "})
    return strata.assign(stratum=prefix + strata["stratum"])


def _lines(ax: Axes, detection: pd.DataFrame, value: str) -> None:
    """A line a predictor over bins of detection rate; the bins' upper ends and genes below."""
    bins = detection.drop_duplicates("stratum")
    for predictor in present(detection["predictor"]):
        own = detection[detection["predictor"] == predictor].set_index("stratum")[value]
        colour, marker = PREDICTOR_COLOURS[predictor], PREDICTOR_MARKERS[predictor]
        heights = own.reindex(bins["stratum"])
        ax.plot(range(len(bins)), heights, color=colour, marker=marker, ms=3.5, mew=0)
    labels = [
        f"{100 * float(stratum.split('-')[1]):g}\n({genes / 1000:.1f})"
        for stratum, genes in zip(bins["stratum"], bins["n_genes_tested"], strict=True)
    ]
    ax.set_xticks(range(len(bins)), labels)
    ax.grid(axis="y")
