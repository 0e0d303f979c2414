"""Perturbed pairs (claim 6): dose and response."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import MaxNLocator

from sagefm.figures.perturbation_parts import KIND_COLOURS, KIND_NAMES, pairs_title, scale_of
from sagefm.figures.style import DOUBLE, head, styled
from sagefm.pair_terms import FORWARD, strongest_pairs

KIND_LINES = dict(zip(KIND_NAMES, ("-", "--", ":", "-."), strict=True))
STRONGEST = 6
COLUMNS = 4


@styled
def draw_doses(
    levels: pd.DataFrame,
    pairs: pd.DataFrame,
    summary: pd.DataFrame,
    named: Sequence[tuple[str, str]] = (),
) -> Figure:
    """Change of the predicted output with the input's level, a panel a pair.

    The strongest pairs (slope furthest beyond that of genes of like expression, in the expected
    direction; one an input), then those named as far as the table has them.

    Parameters
    ----------
    levels, pairs, summary
        Of `pair_tables.summarise_pairs`.
    named
        (input, output) of pairs to show whatever they do.
    """
    lines = -(-len(_shown(pairs, named, STRONGEST)) // COLUMNS)
    figure = Figure(figsize=(DOUBLE, 1.65 * lines + 0.75))
    fill_doses(figure, levels, pairs, summary, named)
    return figure


def fill_doses(
    figure: FigureBase,
    levels: pd.DataFrame,
    pairs: pd.DataFrame,
    summary: pd.DataFrame,
    named: Sequence[tuple[str, str]] = (),
    strongest: int = STRONGEST,
) -> None:
    """Fill a figure, or a part of one, with `draw_doses`; of so many of the `strongest` pairs."""
    shown = _shown(pairs, named, strongest)
    lines = -(-len(shown) // COLUMNS)
    panels = figure.subplots(lines, COLUMNS, squeeze=False)
    forward = levels[levels["direction"] == FORWARD]
    curves = forward.set_index(["input", "output", "kind"]).sort_index()
    keys = pd.MultiIndex.from_frame(shown[["input", "output"]])
    scale, unit = scale_of(curves.loc[curves.index.droplevel("kind").isin(keys), "change"])
    for ax, row in zip(panels.flat, shown.to_dict("records"), strict=False):
        for kind, label in KIND_NAMES.items():
            own = curves.loc[(row["input"], row["output"], kind)].sort_values("step")
            colour = KIND_COLOURS[kind]
            change = own["change"] * scale
            ax.plot(own["level"], change, KIND_LINES[kind], color=colour, label=label)
            if kind == "matched":
                band = own["low"] * scale, own["high"] * scale
                ax.fill_between(own["level"], *band, color=colour, alpha=0.2, lw=0)
        ax.set_title(f"{row['input']} → {row['output']}{' (down)' * (row['sign'] < 0)}")
        ax.margins(x=0.03)
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.yaxis.set_major_locator(MaxNLocator(4))
    for ax in panels.flat[len(shown) :]:
        ax.set_axis_off()
    for ax in panels.flat[(lines - 1) * COLUMNS : len(shown)]:
        ax.set_xlabel("input in neighbours\n(log1p)")
    for ax in panels[:, 0]:
        ax.set_ylabel(f"change of predicted\noutput ({unit})")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    head(figure, pairs_title(summary))


def _shown(pairs: pd.DataFrame, named: Sequence[tuple[str, str]], most: int) -> pd.DataFrame:
    strongest = strongest_pairs(pairs).head(most)
    key = pd.MultiIndex.from_frame(pairs[["input", "output"]])
    wanted = pairs[key.isin(named)]
    return pd.concat([strongest, wanted]).drop_duplicates(["input", "output"])
