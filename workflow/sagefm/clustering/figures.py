"""Clusterings in numbers (claim 3): all metrics beside each other, batch against biology."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import MaxNLocator

from sagefm.common.text import count
from sagefm.plotting.style import DOUBLE, NEUTRAL, head, styled
from sagefm.representations.catalogue import REGISTERED, Catalogue

# Scope, clustering, factor, metric of each panel, and its title.
PANELS = {
    ("section", "kmeans", "label", "ari"): "ARI\nk-means",
    ("section", "leiden", "label", "ari"): "ARI\nLeiden",
    ("section", "leiden_best", "label", "ari"): "ARI\nLeiden, oracle",
    ("section", "kmeans", "label", "ami"): "AMI\nk-means",
    ("section", "kmeans", "label", "nmi"): "NMI\nk-means",
    ("section", "kmeans", "label", "homogeneity"): "homogeneity\nk-means",
    ("section", "kmeans", "label", "completeness"): "completeness\nk-means",
    ("section", "kmeans", None, "neighbour_excess"): "same cluster as\nneighbours, excess",
    ("section", "kmeans", None, "silhouette_pcs"): "silhouette\nk-means",
    ("section", "kmeans", None, "calinski_harabasz_pcs"): "Calinski-Harabasz\nk-means",
    ("section", "kmeans", None, "davies_bouldin_pcs"): "Davies-Bouldin\nk-means (less: better)",
    ("cohort", "kmeans", "label", "ari"): "pooled: ARI\nk-means",
    ("cohort", "none", "label", "group_silhouette"): "pooled: silhouette\nof labels",
    ("cohort", "none", "label", "purity"): "pooled: purity\nof labels",
    ("cohort", "none", "label", "purity_across"): "pooled: purity of\nlabels, other patients",
    ("cohort", "none", "patient", "purity"): "pooled: purity of\npatients (batch)",
}

NONE_AT_ZERO = ("ari", "ami", "neighbour_excess", "group_silhouette", "purity_across")
"""Metrics whose panels show 0, where there is nothing to be seen."""

BIOLOGY = ("label", "organ", "disease_state")

MEASURES = {
    "purity": "neighbour purity",
    "group_silhouette": "silhouette",
}

COLUMNS = 4

MARKERS = "osD^vPX<>"


@styled
def draw_metrics(summary: pd.DataFrame, catalogue: Catalogue = REGISTERED) -> Figure:
    """Every representation's mean of each metric with its 95 % interval, a panel a metric.

    Filled: as it is; hollow: centred per sample, for metrics of the pooled cohort. Metrics that
    could not be scored have no panel; one shows no more than thrice the spread of its means, and
    cuts longer intervals off, as two patients give.

    Parameters
    ----------
    summary
        Of `tables.clustering_summary`.
    catalogue
        Names and colours of the representations.
    """
    lines = -(-sum(len(_rows(summary, key)) > 0 for key in PANELS) // COLUMNS)
    names = summary["representation"].nunique()
    figure = Figure(figsize=(DOUBLE, lines * (0.15 * names + 0.62) + 0.45))
    fill_metrics(figure, summary, catalogue=catalogue)
    return figure


def fill_metrics(
    figure: FigureBase,
    summary: pd.DataFrame,
    wanted: Mapping[tuple, str] = PANELS,
    columns: int = COLUMNS,
    catalogue: Catalogue = REGISTERED,
) -> None:
    """Fill a figure, or a part of one, with `draw_metrics`; of `wanted` panels, as `PANELS`."""
    found = {key: own for key in wanted if len(own := _rows(summary, key))}
    first = next(iter(found.values()))
    known = first[~first["centred"]].set_index("representation")["mean"]
    order = known.reindex(summary["representation"].unique()).sort_values(na_position="first").index
    lines = -(-len(found) // columns)
    panels = figure.subplots(lines, columns, squeeze=False, sharey=True)
    for ax, (key, own) in zip(panels.flat, found.items(), strict=False):
        _panel(ax, own, list(order), with_zero=key[-1] in NONE_AT_ZERO, catalogue=catalogue)
        ax.set_title(wanted[key], fontsize=7.5)
    for ax in panels.flat[len(found) :]:
        ax.set_axis_off()
    handles = [
        panels[0, 0].plot([], [], "o", color=NEUTRAL, mfc=face, label=label)[0]
        for face, label in ((NEUTRAL, "as it is"), ("white", "centred per sample"))
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    nouns = {"n": "patient", "n_sections": "section", "spots": "spot"}
    counts = [count(first[column].max(), noun) for column, noun in nouns.items()]
    head(figure, f"{', '.join(counts)}; means, 95 % intervals")


@styled
def draw_batch_biology(summary: pd.DataFrame, catalogue: Catalogue = REGISTERED) -> Figure:
    """What a cohort's spots lie near to: their own patient (right) or their own kind (up).

    A line leads from a representation as it is (filled) to the same centred per sample (hollow).

    Parameters
    ----------
    summary
        Of `tables.clustering_summary`.
    catalogue
        Names and colours of the representations.
    """
    figure = Figure(figsize=(DOUBLE, 2.9 * max(len(_biology(summary)), 1) + 0.2))
    fill_batch_biology(figure, summary, catalogue=catalogue)
    if _biology(summary):
        spots = summary[summary["clustering"] == "none"]
        nouns = {"n": "patient", "spots": "spot"}
        counts = [count(spots[column].max(), noun) for column, noun in nouns.items()]
        head(figure, f"{', '.join(counts)}; filled: as it is, hollow: centred")
    return figure


def fill_batch_biology(
    figure: FigureBase,
    summary: pd.DataFrame,
    measures: Mapping[str, str] = MEASURES,
    legend_below: bool = False,
    catalogue: Catalogue = REGISTERED,
) -> None:
    """Fill a figure, or a part of one, with `draw_batch_biology`; with some `MEASURES` alone."""
    rows = summary[(summary["clustering"] == "none") & summary["mean"].notna()]
    factors = _biology(summary)
    names = list(pd.unique(rows["representation"]))
    colours = {name: catalogue.colour(name) for name in names}
    # Those of one colour differ in their markers.
    alike = pd.Series(colours).groupby(list(colours.values())).cumcount()
    markers = {name: MARKERS[number % len(MARKERS)] for name, number in alike.items()}
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
            ax.set_ylabel(f"{words} of {factor.replace('_', ' ')} (biology)")
            ax.grid()
            ax.margins(0.08)
            ax.xaxis.set_major_locator(MaxNLocator(5))
    if not factors:
        for ax in panels.flat:
            ax.set_axis_off()
        head(figure, "no biology is known of this cohort's spots")
        return
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center" if legend_below else "outside right center",
        ncols=2 if legend_below else 1,
    )
    head(figure, "filled: as it is; hollow: centred")


def _biology(summary: pd.DataFrame) -> list[str]:
    """The factors that are biology, as far as the table has them."""
    rows = summary[(summary["clustering"] == "none") & summary["mean"].notna()]
    return [factor for factor in BIOLOGY if factor in set(rows["factor"])]


def _rows(summary: pd.DataFrame, key: tuple[str, str, str | None, str]) -> pd.DataFrame:
    scope, clustering, factor, metric = key
    of_factor = summary["factor"].isna() if factor is None else summary["factor"] == factor
    same = (summary["scope"] == scope) & (summary["clustering"] == clustering)
    return summary[same & of_factor & (summary["metric"] == metric) & summary["mean"].notna()]


def _panel(
    ax: Axes, rows: pd.DataFrame, order: list[str], with_zero: bool, catalogue: Catalogue
) -> None:
    """One line a representation: intervals, and dots over them."""
    both = rows["centred"].any()
    for _, row in rows.iterrows():
        y: float = order.index(row["representation"])
        y += (-0.16 if row["centred"] else 0.16) if both else 0
        colour = catalogue.colour(row["representation"])
        ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=1, alpha=0.6)
        face = "white" if row["centred"] else colour
        ax.plot(row["mean"], y, "o", ms=3.5, color=colour, mfc=face, mew=0.8)
    ax.set_yticks(range(len(order)), [catalogue.title(name) for name in order])
    ax.set_ylim(-0.6, len(order) - 0.4)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(3))
    means, ends = rows["mean"], rows[["mean", "low", "high"]]
    spread = means.max() - means.min()
    left = max(ends.min(axis=None), means.min() - spread)
    right = min(ends.max(axis=None), means.max() + spread)
    if with_zero:
        ax.axvline(0, color=NEUTRAL, lw=0.6)
        left, right = min(left, 0), max(right, 0)
    if left < right:
        ax.set_xlim(left - 0.08 * (right - left), right + 0.08 * (right - left))
