"""What the figures of recovery share: a group a cohort and model, a dot a predictor."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sagefm.figures.style import PREDICTOR_COLOURS, PREDICTOR_MARKERS, PREDICTOR_NAMES, present


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
