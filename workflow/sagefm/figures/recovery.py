"""Masked-gene recovery (claim 2): shares of genes, strata, detection rate."""

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from sagefm.errors import InputError
from sagefm.figures.style import (
    DOUBLE,
    NEUTRAL,
    PREDICTOR_COLOURS,
    PREDICTOR_MARKERS,
    PREDICTOR_NAMES,
    count,
    group_title,
    head,
    percent_axis,
    present,
    styled,
)
from sagefm.told import told

# A share of genes, and the median correlation without which it is not defined.
SHARES = {
    "recovered_p05": ("Pearson, p < 0.05", "median_pearson"),
    "recovered_bh": ("Pearson, FDR < 0.05", "median_pearson"),
    "recovered_spearman_p05": ("Spearman, p < 0.05", "median_spearman"),
    "recovered_within_p05": ("within samples, p < 0.05", "median_within_pearson"),
}
EFFECTS = {
    "median_pearson": "Pearson",
    "median_spearman": "Spearman",
    "median_within_pearson": "within samples",
}
GENE_BINS = 20
"""Bins of equal numbers of genes along the detection rate."""


def reported_share(reported: pd.DataFrame) -> float:
    """The paper's share of genes recovered, 0 to 1, from the table of what it reports.

    Raises
    ------
    InputError
        If the table's row `recovery` does not begin with a percentage.
    """
    text = " ".join(reported.loc[reported["id"] == "recovery", "reported"])
    found = re.match(r"(\d+(?:\.\d+)?) ?%", text)
    if not found:
        raise InputError(
            f"reported figures, row `recovery`: `{text}` does not begin with a percentage; "
            "write it as `91 % of ...`."
        )
    return float(found[1]) / 100


@styled
def draw_recovered(summary: pd.DataFrame, reported: float) -> Figure:
    """Share of genes recovered, by four criteria, and the size of the correlation beside it.

    One row of panels a cohort and model. Predictors that do not vary over spots have no
    correlation and no dot.

    Parameters
    ----------
    summary
        Of `recovery_tables.summary_table`, with columns model and cohort.
    reported
        The paper's share at p < 0.05, 0 to 1.
    """
    groups = _groups(summary[summary["stratum_kind"] == "all"])
    figure = Figure(figsize=(DOUBLE, 1.3 * len(groups) + 1.0))
    fill_recovered(figure, summary, reported)
    return figure


def fill_recovered(figure: FigureBase, summary: pd.DataFrame, reported: float) -> None:
    """Fill a figure, or a part of one, with `draw_recovered`."""
    whole = summary[summary["stratum_kind"] == "all"]
    groups = _groups(whole)
    panels = figure.subplots(len(groups), 2, squeeze=False, sharex="col", width_ratios=[1.6, 1])
    for (share, effect), (names, group) in zip(panels, groups, strict=True):
        columns = {
            key: group[key].where(group[median].notna()) for key, (_, median) in SHARES.items()
        }
        _dots(share, group.assign(**columns), {key: label for key, (label, _) in SHARES.items()})
        _dots(effect, group, EFFECTS)
        share.axvline(reported, color=NEUTRAL, ls="--", lw=0.9)
        effect.axvline(0, color=NEUTRAL, lw=0.6)
        first = group[group["predictor"] == "model"].iloc[0]
        share.set_title(
            f"{group_title(names)}\n{count(first['n_genes_tested'], 'gene')} tested "
            f"({first['n_genes_constant']:,.0f} held constant by the model), "
            f"{count(first['n_spots'], 'spot')}, {count(first['n_samples'], 'sample')}, "
            f"{count(first['n_patients'], 'patient')}"
        )
    bottom_share, bottom_effect = panels[-1]
    percent_axis(bottom_share)
    bottom_share.set_xlabel("genes recovered (% of those tested)")
    # Room beside the outermost dots.
    left, right = bottom_effect.get_xlim()
    bottom_effect.set_xlim(left, right + 0.04 * (right - left))
    bottom_effect.set_xlabel("median correlation over genes\n(those held constant left out)")
    varying = whole.loc[whole["median_pearson"].notna(), "predictor"]
    handles = _handles(present(varying))
    label = f"paper, p < 0.05: {100 * reported:g} %"
    handles.append(*bottom_share.plot([], [], color=NEUTRAL, ls="--", lw=0.9, label=label))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


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
    groups = _groups(summary)
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
            _dots(ax, wide.reset_index(), {label: label for label in wide.columns})
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
    handles = _handles(present(summary["predictor"]))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


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


def _groups(summary: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Rows of each (cohort, model), the models of one cohort one after the other."""
    turn = {cohort: i for i, cohort in enumerate(summary["cohort"].unique())}
    together = summary.sort_values("cohort", key=lambda names: names.map(turn), kind="stable")
    return [*together.groupby(["cohort", "model"], sort=False)]


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


def _handles(predictors: list[str]) -> list:
    """Legend entries of predictors."""
    empty = Axes(Figure(), (0, 0, 1, 1))
    return [
        empty.plot([], [], PREDICTOR_MARKERS[name], color=PREDICTOR_COLOURS[name],
                   label=PREDICTOR_NAMES[name])[0]
        for name in predictors
    ]  # fmt: skip


def _dots(ax: Axes, table: pd.DataFrame, columns: dict[str, str]) -> None:
    """A row a column of the table, and in it a dot for each predictor that has a value."""
    predictors = present(table["predictor"])
    spread = np.linspace(-0.2, 0.2, len(predictors)) if len(predictors) > 1 else [0.0]
    for shift, predictor in zip(spread, predictors, strict=True):
        values = table[table["predictor"] == predictor].iloc[0]
        ax.plot(
            [values[key] for key in columns], np.arange(len(columns)) + shift,
            PREDICTOR_MARKERS[predictor], color=PREDICTOR_COLOURS[predictor], mew=0, clip_on=False,
        )  # fmt: skip
    ax.set_yticks(range(len(columns)), columns.values())
    ax.set_ylim(len(columns) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")


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
