"""Perturbed pairs (claim 6): the two directions, and how well pairs are separated from the rest."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from sagefm.common.text import count
from sagefm.perturbation.figures import pairs_title
from sagefm.perturbation.terms import FORWARD, REVERSE
from sagefm.perturbation.titles import pairs_found
from sagefm.plotting.beyond import beyond_words, mark_beyond
from sagefm.plotting.colours import MODEL_COLOURS
from sagefm.plotting.headline import headline
from sagefm.plotting.pair_scores import UNMODELLED
from sagefm.plotting.style import DOUBLE, NEUTRAL, styled

SCORE_NAMES = {
    "slope": "slope of the response",
    "coexpression_pooled": UNMODELLED["coexpression"],
    "coexpression_within": UNMODELLED["coexpression_within"],
    "output_mean": UNMODELLED["output_mean"],
    "slope_remainder": "slope, less what these explain",
}
"""Scores in the order they are drawn: the model's, those without a model, what these leave."""

STRENGTH = 0.4
"""Of the colour of a pair: many lie over each other."""


@styled
def draw_directions(
    pairs: pd.DataFrame,
    discrimination: pd.DataFrame,
    summary: pd.DataFrame,
    colour: str = MODEL_COLOURS[0],
) -> Figure:
    """Forward against reverse effect of every pair; how well pairs are separated from the rest.

    Effects are against genes of similar expression, in their standard deviations; triangles at the
    edge are pairs beyond the axes, and are counted. The title is how slopes compare with
    co-expression. AUROC with 95% interval over inputs; forward filled, reverse hollow.

    Parameters
    ----------
    pairs, discrimination, summary
        Of `summary.summarise_pairs`.
    colour
        Of the model.
    """
    figure = Figure(figsize=(DOUBLE, 3.4))
    fill_directions(figure, pairs, discrimination, pairs_title(summary), colour)
    return figure


def fill_directions(
    figure: FigureBase,
    pairs: pd.DataFrame,
    discrimination: pd.DataFrame,
    about: str = "",
    colour: str = MODEL_COLOURS[0],
) -> None:
    """Fill a figure, or a part of one, with `draw_directions`; `about` is below its title."""
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.05])
    columns = ["effect_expression_matched", "reverse_effect_expression_matched"]
    effects = pairs[columns].dropna().to_numpy()
    edge = np.ceil(np.percentile(np.abs(effects), 98)) if len(effects) else 1.0
    left.plot([-edge, edge], [-edge, edge], color=NEUTRAL, lw=0.8, ls="--")
    for line in (left.axvline, left.axhline):
        line(0, color=NEUTRAL, lw=0.6)
    left.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal")
    inside = effects[(np.abs(effects) <= edge).all(axis=1)]
    look: dict[str, Any] = {"mew": 0, "clip_on": False, "rasterized": True}
    if len(inside):  # without points, the layout would keep room for one at the figure's corner
        left.plot(*inside.T, "o", ms=2.5, color=colour, alpha=STRENGTH, **look)
    beyond = mark_beyond(left, effects[:, 0], effects[:, 1], colour, STRENGTH)
    left.set_xlabel("effect of the input on the output (SD)")
    left.set_ylabel("effect of the output\non the input (SD)")
    title = f"{count(len(effects), 'pair')};\n{beyond_words(beyond, 'pair')}"
    left.set_title(title if len(effects) else "no pair has both effects\nknown")
    for direction, face, shift in ((FORWARD, None, -0.14), (REVERSE, "white", 0.14)):
        own = discrimination[discrimination["direction"] == direction].set_index("score")
        for y, name in enumerate(SCORE_NAMES):
            row = own.loc[name]
            own_colour = colour if name.startswith("slope") else NEUTRAL
            ends = [row["auroc_low"], row["auroc_high"]]
            right.plot(ends, [y + shift] * 2, color=own_colour, lw=1)
            right.plot(row["auroc"], y + shift, "o", color=own_colour, mfc=face or own_colour)
        right.plot([], [], "o", color=NEUTRAL, mfc=face or NEUTRAL, label=direction)
    right.axvline(0.5, color=NEUTRAL, lw=0.6)
    right.set_yticks(range(len(SCORE_NAMES)), SCORE_NAMES.values())
    right.set_ylim(len(SCORE_NAMES) - 0.5, -0.5)
    right.tick_params(axis="y", length=0)
    right.grid(axis="x")
    right.set_xlabel("AUROC of pairs (0.5: chance)")
    first = discrimination.iloc[0]
    right.set_title(
        f"{first['n_pairs']:,} pairs among {first['n_entries']:,}\nentries (input, output)"
    )
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=2)
    headline(figure, pairs_found(effects, discrimination), about)
