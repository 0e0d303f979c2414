"""Share of genes recovered (claim 2), and the size of their correlation."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D

from sagefm.common.text import count
from sagefm.common.verdict import FEWEST
from sagefm.plotting.colours import NO_COLOURS, predictor_colours
from sagefm.plotting.headline import headline
from sagefm.plotting.style import (
    DOUBLE,
    NEUTRAL,
    PREDICTOR_MARKERS,
    PREDICTOR_NAMES,
    group_title,
    percent_axis,
    present,
    styled,
)
from sagefm.recovery.titles import JUDGED, share_recovered, shares_recovered


def groups_of(summary: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Rows of each (cohort, model), the models of one cohort one after the other."""
    turn = {cohort: i for i, cohort in enumerate(summary["cohort"].unique())}
    together = summary.sort_values("cohort", key=lambda names: names.map(turn), kind="stable")
    return [*together.groupby(["cohort", "model"], sort=False)]


def predictor_legend(
    figure: FigureBase,
    predictors: list[str],
    models: Iterable[str],
    colours: Mapping[str, str],
    *others: Line2D,
) -> None:
    """Draw the legend of predictors; the model's entry has a mark in the colour of each model.

    Parameters
    ----------
    predictors
        In the order of the entries.
    models
        Those of the panels.
    colours
        Of the run's models.
    others
        Entries that come after, with their labels.
    """
    palettes = [predictor_colours(model, colours) for model in models]
    handles: list = [
        tuple(
            Line2D([], [], ls="", marker=PREDICTOR_MARKERS[name], color=colour)
            for colour in dict.fromkeys(palette[name] for palette in palettes)
        )
        for name in predictors
    ]
    labels = [PREDICTOR_NAMES[name] for name in predictors]
    figure.legend(
        [*handles, *others],
        [*labels, *(str(line.get_label()) for line in others)],
        loc="outside lower center",
        ncols=4,
        handler_map={tuple: HandlerTuple(ndivide=None)},
    )


def predictor_dots(
    ax: Axes, table: pd.DataFrame, columns: dict[str, str], colours: Mapping[str, str]
) -> None:
    """A row a column of the table, and in it a dot for each predictor that has a value.

    A line is the interval of a column, where the table has its ends (`_low`, `_high`) and `FEWEST`
    patients or more; as of a share, within 0 to 1.
    """
    predictors = present(table["predictor"])
    spread = np.linspace(-0.3, 0.3, len(predictors)) if len(predictors) > 1 else [0.0]
    for shift, predictor in zip(spread, predictors, strict=True):
        values = table[table["predictor"] == predictor].iloc[0]
        for row, key in enumerate(columns):
            known = f"{key}_low" in values and values[key] == values[key]
            if known and values["patients_n"] >= FEWEST:
                ends = np.clip([values[f"{key}_low"], values[f"{key}_high"]], 0, 1)
                ax.plot(ends, [row + shift] * 2, color=colours[predictor], lw=0.8)
        ax.plot(
            [values[key] for key in columns], np.arange(len(columns)) + shift,
            PREDICTOR_MARKERS[predictor], color=colours[predictor], mew=0, clip_on=False,
        )  # fmt: skip
    ax.set_yticks(range(len(columns)), columns.values())
    ax.set_ylim(len(columns) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")


# A share of genes, and the median correlation without which it is not defined.
SHARES = {
    JUDGED: ("within sections, mean over\npatients (judged)", "median_within_pearson_shared"),
    "share_given_depth": ("within sections,\ngiven depth", "within_given_depth"),
    "recovered_shared": ("all sections pooled", "median_pearson_shared"),
    "recovered_bh": ("all sections pooled,\nFDR < 0.05", "median_pearson_shared"),
}

EFFECTS = {
    "median_within_pearson_shared": "within sections",
    "within_given_depth": "within sections,\ngiven depth",
    "median_pearson_shared": "all sections pooled",
}


@styled
def draw_recovered(
    summary: pd.DataFrame, reported: float, colours: Mapping[str, str] = NO_COLOURS
) -> Figure:
    """Share of genes recovered, by four criteria, and the size of the correlation beside it.

    The first criterion is the one that the claim is judged on, with its interval over patients.
    One row of panels a cohort and model. The title is how the model compares with the best other
    predictor and with the paper. Shares are of the same genes and sections, medians over
    the same genes, for all predictors. A predictor that does not vary over spots has no dot.

    Parameters
    ----------
    summary
        Of `tables.recovery_summary`, with columns model and cohort.
    reported
        The paper's share at p < 0.05, 0 to 1.
    colours
        Of the models.
    """
    groups = groups_of(summary[summary["stratum_kind"] == "all"])
    figure = Figure(figsize=(DOUBLE, 1.65 * len(groups) + 1.4))
    fill_recovered(figure, summary, reported, colours)
    return figure


def fill_recovered(
    figure: FigureBase,
    summary: pd.DataFrame,
    reported: float,
    colours: Mapping[str, str] = NO_COLOURS,
) -> None:
    """Fill a figure, or a part of one, with `draw_recovered`."""
    whole = summary[summary["stratum_kind"] == "all"]
    groups, varying = groups_of(whole), []
    panels = figure.subplots(len(groups), 2, squeeze=False, sharex="col", width_ratios=[1.6, 1])
    for (share, effect), (names, group) in zip(panels, groups, strict=True):
        columns = {
            key: group[key].where(group[median].notna()) for key, (_, median) in SHARES.items()
        }
        labels = {key: label for key, (label, _) in SHARES.items()}
        known = group.assign(**columns)
        varying.append(known)
        own = predictor_colours(names[1], colours)
        predictor_dots(share, known, labels, own)
        predictor_dots(effect, group, EFFECTS, own)
        share.axvline(reported, color=NEUTRAL, ls="--", lw=0.9)
        effect.axvline(0, color=NEUTRAL, lw=0.6)
        first = group[group["predictor"] == "model"].iloc[0]
        share.set_title(
            f"{group_title(names)}{f': {share_recovered(known)}' * (len(groups) > 1)}\n"
            f"{count(first['n_genes_tested'], 'gene')} tested "
            f"({first['n_genes_constant']:,.0f} held constant by the model), "
            f"{count(first['n_spots'], 'spot')}, {count(first['n_samples'], 'section')}, "
            f"{count(first['n_patients'], 'patient')}"
        )
    bottom_share, bottom_effect = panels[-1]
    percent_axis(bottom_share)
    bottom_share.set_xlabel("genes recovered (% of those tested)")
    # Room beside the outermost dots.
    left, right = bottom_effect.get_xlim()
    bottom_effect.set_xlim(left, right + 0.04 * (right - left))
    bottom_effect.set_xlabel("median correlation over genes,\nthe same genes for all")
    named = whole.loc[whole["median_pearson"].notna(), "predictor"]
    label = f"the paper, p < 0.05: {100 * reported:g}%"
    paper = Line2D([], [], color=NEUTRAL, ls="--", lw=0.9, label=label)
    predictor_legend(figure, present(named), whole["model"].unique(), colours, paper)
    headline(figure, shares_recovered(varying, reported))
