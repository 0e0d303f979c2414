"""The genome-wide screen against known pairs: what finds them, and what chance would."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sagefm.common.text import count
from sagefm.plotting.colours import MODEL_COLOURS
from sagefm.plotting.headline import headline
from sagefm.plotting.style import (
    DOUBLE,
    GREY,
    NEUTRAL,
    group_title,
    styled,
)
from sagefm.screen.tables import MEAN
from sagefm.screen.titles import SCORES, overall_row, pairs_ranked


@styled
def draw_screen_scores(table: pd.DataFrame, colour: str = MODEL_COLOURS[0]) -> Figure:
    """Area under the ROC curve and lift of each score, a row of panels a pair table.

    A score of a model has a dot for the mean of its contexts, with its 95 % interval over inputs,
    and a small one for each context if there are several. The grey band is the middle 95 % of the
    null, in which the table's outputs are permuted among outputs of the same mean expression. The
    title is how the model compares with co-expression.

    Parameters
    ----------
    table
        Of `scores.screen_scores`, with columns truth, model and cohort; of one model and
        cohort.
    colour
        Of the model.
    """
    truths = table["truth"].unique()
    shown = [name for name in SCORES if name in set(table["score"])]
    figure = Figure(figsize=(DOUBLE, (0.17 * len(shown) + 0.5) * len(truths) + 0.85))
    panels = figure.subplots(
        len(truths), 2, squeeze=False, sharex="col", sharey=True, width_ratios=[1.5, 1]
    )
    for (curve, lift), truth in zip(panels, truths, strict=True):
        own = table[table["truth"] == truth]
        for row, name in enumerate(shown):
            of_score = own[own["score"] == name]
            _band(curve, row, of_score)
            own_colour = colour if _is_model(name) else NEUTRAL
            _interval(curve, row, of_score, own_colour)
            _dots(curve, row, of_score, "auroc", own_colour)
            _dots(lift, row, of_score, "lift", own_colour)
        curve.axvline(0.5, color=NEUTRAL, lw=0.6)
        lift.axvline(1, color=NEUTRAL, lw=0.6)
        first = own.iloc[0]
        curve.set_title(
            f"{str(truth).replace('_', ' ')}: {count(first['n_pairs'], 'pair')} of "
            f"{count(first['n_inputs'], 'input')} × {count(first['n_outputs'], 'output')} "
            f"({100 * first['prevalence']:.2g}% of all combinations)"
        )
        for ax in (curve, lift):
            ax.use_sticky_edges = False  # bars' ends would otherwise touch the axis
            ax.margins(x=0.05)
            ax.grid(axis="x")
            ax.tick_params(axis="y", length=0)
    panels[0, 0].set_yticks(range(len(shown)), [SCORES[name] for name in shown])
    panels[0, 0].set_ylim(len(shown) - 0.5, -0.5)
    panels[-1, 0].set_xlabel("area under the ROC curve (0.5: chance)")
    panels[-1, 1].set_xlabel("average precision / share of pairs\n(1: chance)")
    several = MEAN in set(table["context"])
    names = {"model, mean of contexts" if several else "model": colour, "no model": NEUTRAL}
    handles = [
        *(curve.plot([], [], "o", color=own_colour, mew=0, label=label)[0]
          for label, own_colour in names.items()),
        Patch(color=GREY, alpha=0.35, lw=0, label="outputs permuted: 95% range"),
    ]  # fmt: skip
    if several:
        small = {"color": colour, "ms": 2.5, "mew": 0, "alpha": 0.6}
        handles[1:1] = curve.plot([], [], "o", label="each context", **small)
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    headline(figure, pairs_ranked(table), group_title((first["cohort"], first["model"])))
    return figure


def _is_model(score: str) -> bool:
    """Whether a score is the model's."""
    return score.endswith(("response", "jacobian"))


def _band(ax: Axes, row: int, rows: pd.DataFrame) -> None:
    whole = overall_row(rows)
    ax.barh(
        row, whole["null_high"] - whole["null_low"], left=whole["null_low"], height=0.7,
        color=GREY, alpha=0.35, lw=0,
    )  # fmt: skip


def _interval(ax: Axes, row: int, rows: pd.DataFrame, colour: str) -> None:
    """The 95 % interval over inputs of a score's AUROC."""
    whole = overall_row(rows)
    ends = [whole["auroc_low"], whole["auroc_high"]]
    ax.plot(ends, [row, row], color=colour, lw=1)


def _dots(ax: Axes, row: int, rows: pd.DataFrame, value: str, colour: str) -> None:
    whole = overall_row(rows)
    if len(rows) > 1:
        each = rows.loc[rows["context"] != MEAN, value]
        ax.plot(each, [row] * len(each), "o", ms=2.5, color=colour, mew=0, alpha=0.6)
    ax.plot(whole[value], row, "o", color=colour, mew=0)
