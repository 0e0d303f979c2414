"""Share of genes recovered (claim 2), and the size of their correlation."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from sagefm.common.text import count
from sagefm.plotting.style import (
    DOUBLE,
    NEUTRAL,
    PREDICTOR_COLOURS,
    PREDICTOR_MARKERS,
    PREDICTOR_NAMES,
    group_title,
    percent_axis,
    present,
    styled,
)


def groups_of(summary: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Rows of each (cohort, model), the models of one cohort one after the other."""
    turn = {cohort: i for i, cohort in enumerate(summary["cohort"].unique())}
    together = summary.sort_values("cohort", key=lambda names: names.map(turn), kind="stable")
    return [*together.groupby(["cohort", "model"], sort=False)]


def predictor_handles(predictors: list[str]) -> list:
    """Legend entries of predictors."""
    empty = Axes(Figure(), (0, 0, 1, 1))
    return [
        empty.plot([], [], PREDICTOR_MARKERS[name], color=PREDICTOR_COLOURS[name],
                   label=PREDICTOR_NAMES[name])[0]
        for name in predictors
    ]  # fmt: skip


def predictor_dots(ax: Axes, table: pd.DataFrame, columns: dict[str, str]) -> None:
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


@styled
def draw_strata(summary: pd.DataFrame) -> Figure:
    """Share of genes recovered and error, by detection rate, organ, and patients seen or unseen.

    Parameters
    ----------
    summary
        Of `tables.recovery_summary`, with columns model and cohort.
    """
    summary = summary.assign(
        stratum=summary["stratum"].fillna("unknown"),
        recovered_p05=summary["recovered_p05"].where(summary["median_pearson"].notna()),
        relative_mse=summary["mse"] / _untrained_mse(summary),
    )
    groups = groups_of(summary)
    heights = [1.1 + 0.15 * _sample_strata(group)["stratum"].nunique() for _, group in groups]
    figure = Figure(figsize=(DOUBLE, sum(heights) + 0.9))
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
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
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


# A share of genes, and the median correlation without which it is not defined.
SHARES = {
    "recovered_shared": ("all samples, p < 0.05", "median_pearson_shared"),
    "recovered_bh": ("all samples, FDR < 0.05", "median_pearson_shared"),
    "recovered_within_shared": ("within samples, p < 0.05", "median_within_pearson_shared"),
    "share_given_depth": ("within samples, given\ndepth, p < 0.05", "within_given_depth"),
}

EFFECTS = {
    "median_pearson_shared": "all samples",
    "median_within_pearson_shared": "within samples",
    "within_given_depth": "within samples,\ngiven depth",
}


@styled
def draw_recovered(summary: pd.DataFrame, reported: float) -> Figure:
    """Share of genes recovered, by four criteria, and the size of the correlation beside it.

    One row of panels a cohort and model. Shares are of the same genes and sections, medians over
    the same genes, for all predictors. A predictor that does not vary over spots has no dot.

    Parameters
    ----------
    summary
        Of `tables.recovery_summary`, with columns model and cohort.
    reported
        The paper's share at p < 0.05, 0 to 1.
    """
    groups = groups_of(summary[summary["stratum_kind"] == "all"])
    figure = Figure(figsize=(DOUBLE, 1.6 * len(groups) + 1.2))
    fill_recovered(figure, summary, reported)
    return figure


def fill_recovered(figure: FigureBase, summary: pd.DataFrame, reported: float) -> None:
    """Fill a figure, or a part of one, with `draw_recovered`."""
    whole = summary[summary["stratum_kind"] == "all"]
    groups = groups_of(whole)
    panels = figure.subplots(len(groups), 2, squeeze=False, sharex="col", width_ratios=[1.6, 1])
    for (share, effect), (names, group) in zip(panels, groups, strict=True):
        columns = {
            key: group[key].where(group[median].notna()) for key, (_, median) in SHARES.items()
        }
        labels = {key: label for key, (label, _) in SHARES.items()}
        predictor_dots(share, group.assign(**columns), labels)
        predictor_dots(effect, group, EFFECTS)
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
    bottom_effect.set_xlabel("median correlation over genes,\nthe same genes for all")
    varying = whole.loc[whole["median_pearson"].notna(), "predictor"]
    handles = predictor_handles(present(varying))
    label = f"paper, p < 0.05: {100 * reported:g}%"
    handles.append(*bottom_share.plot([], [], color=NEUTRAL, ls="--", lw=0.9, label=label))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
