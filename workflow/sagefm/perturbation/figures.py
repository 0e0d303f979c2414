"""Perturbed pairs (claim 6): dose and response."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import MaxNLocator

from sagefm.common.text import count, with_sign
from sagefm.perturbation.terms import (
    FORWARD,
    INPUTS,
    REVERSE,
    strongest_pairs,
)
from sagefm.perturbation.titles import pairs_counted, slopes_compared
from sagefm.plotting.colours import CONTROL_COLOURS, MODEL_COLOURS
from sagefm.plotting.headline import headline
from sagefm.plotting.style import DOUBLE, GREY, NEUTRAL, percent_axis, styled


@styled
def draw_distributions(
    pairs: pd.DataFrame, summary: pd.DataFrame, colour: str = MODEL_COLOURS[0]
) -> Figure:
    """Slopes of pairs and of their controls, forward and in reverse; shares of expected sign.

    Boxes are quartiles, whiskers the 5th and 95th percentile over pairs (of a control: of the mean
    of its genes). Diamond and number are the mean that is tested: each input counts once, the mean
    of its pairs. Slopes count in the direction that a pair's sign expects. Shares, from the left:
    full colour, slope of the expected sign; hatched, 0 (the model holds the output at 0); pale, of
    the other sign. The title is how pairs compare with genes of similar expression.

    Parameters
    ----------
    pairs, summary
        Of `summary.summarise_pairs`.
    colour
        Of the model.
    """
    figure = Figure(figsize=(DOUBLE, 2.9))
    fill_distributions(figure, pairs, summary, pairs_title(summary), colour)
    return figure


def fill_distributions(
    figure: FigureBase,
    pairs: pd.DataFrame,
    summary: pd.DataFrame,
    about: str = "",
    colour: str = MODEL_COLOURS[0],
) -> None:
    """Fill a figure, or a part of one, with `draw_distributions`; `about` is below its title."""
    colours = {"matched": colour, **CONTROL_COLOURS}
    panels = figure.subplots(1, 3, sharey=True, width_ratios=[1.2, 1.2, 0.9])
    prefixes = {FORWARD: "", REVERSE: "reverse_"}
    columns = ["slope", *(f"slope_{kind}" for kind in list(KIND_NAMES)[1:])]
    both = [
        pairs[[prefix + column for column in columns]].mul(pairs["sign"], axis=0)
        for prefix in prefixes.values()
    ]
    ends = [slopes.quantile([0.05, 0.95]) for slopes in both]
    scale, unit = scale_of(pd.concat(ends, axis=1).stack())
    for ax, direction, slopes in zip(panels, prefixes, both, strict=False):
        tested = _over_inputs(summary, direction)
        means = [tested["matched"].iloc[-1], *tested["reference"]]
        for y, (kind, column) in enumerate(zip(KIND_NAMES, slopes, strict=True)):
            values = slopes[column].dropna().to_numpy() * scale
            _box(ax, y, values, means[y] * scale, colours[kind])
        ax.axvline(0, color=NEUTRAL, lw=0.6)
        ax.set_title(f"{direction}: {count(len(pairs), 'pair')}")
        ax.set_xlabel(f"slope ({unit} per log1p)")
        ax.grid(axis="x")
        ax.xaxis.set_major_locator(MaxNLocator(4))
    limits = [ax.get_xlim() for ax in panels[:2]]
    for ax in panels[:2]:
        ax.set_xlim(min(low for low, _ in limits), max(high for _, high in limits))
    _shares(panels[2], summary, colours)
    panels[0].set_yticks(range(len(KIND_NAMES)), KIND_NAMES.values())
    panels[0].set_ylim(len(KIND_NAMES) - 0.5, -0.65)
    for ax in panels:
        ax.tick_params(axis="y", length=0)
    headline(figure, slopes_compared(summary, scale, unit), about)


def _over_inputs(summary: pd.DataFrame, direction: str) -> pd.DataFrame:
    """Of a direction the comparisons over inputs, by control in the order of `KIND_NAMES`."""
    rows = (summary["direction"] == direction) & (summary["unit"] == INPUTS)
    return summary[rows].set_index("control").loc[list(KIND_NAMES)[1:]]


def _box(ax: Axes, y: int, values: np.ndarray, mean: float, colour: str) -> None:
    """Quartiles as a box, the 5th to 95th percentile as a line; the mean as a mark and a number."""
    if not len(values) or np.isnan(mean):
        return
    ends = np.percentile(values, [5, 25, 50, 75, 95])
    ax.plot(ends[[0, 4]], [y, y], color=colour, lw=1)
    ax.barh(y, ends[3] - ends[1], 0.4, ends[1], color=colour, alpha=0.45, lw=0)
    ax.plot(ends[[2, 2]], [y - 0.2, y + 0.2], color=colour, lw=1)
    ax.plot(mean, y, "D", color=colour, ms=4, mec="white", mew=0.5)
    ax.text(
        mean, y - 0.26, with_sign(mean, "#.2g"), ha="center", va="bottom", fontsize=7,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )  # fmt: skip


def _shares(ax: Axes, summary: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """Of pairs, and of single control genes: slope of the expected sign, 0, of the other sign."""
    for direction, shift in ((FORWARD, -0.18), (REVERSE, 0.18)):
        own = _over_inputs(summary, direction)
        for y, (kind, colour) in enumerate(colours.items()):
            row = own.iloc[0] if kind == "matched" else own.loc[kind]
            end = "" if kind == "matched" else "_control"
            right, still = row[f"share_as_expected{end}"], row[f"share_unmoved{end}"]
            ax.barh(y + shift, right, 0.32, color=colour)
            ax.barh(y + shift, still, 0.32, right, color="white", hatch="//////", ec=GREY, lw=0)
            ax.barh(y + shift, 1 - right - still, 0.32, right + still, color=colour, alpha=0.25)
    percent_axis(ax)
    ax.set_xlim(0, 1)
    ax.set_xlabel("expected sign, 0, other (%)")
    ax.set_title("upper bar: forward,\nlower bar: reverse")


KIND_NAMES = {
    "matched": "pair's output",
    "unmatched": "other outputs of the table",
    "random": "random genes",
    "expression_matched": "random genes of similar expression",
}


def scale_of(values: pd.Series) -> tuple[float, str]:
    """What to multiply values with so that their figures are short, and the unit they then have."""
    largest = values.abs().max()
    power = 0 if largest >= 0.05 or not largest else 3 if largest >= 5e-5 else 6
    return 10.0**power, f"10{'⁻³' if power == 3 else '⁻⁶'} log1p" if power else "log1p"


def pairs_title(summary: pd.DataFrame) -> str:
    """Cohort, model and table, and how much is behind the figure."""
    own = summary.iloc[0]
    # A control that no pair has, as of a table with one input, counts none.
    counts = (
        count(summary[column].max(), noun)
        for column, noun in (
            ("n_pairs", "pair"),
            ("n_inputs", "input"),
            ("n_spots", "spot"),
            ("n_patients", "patient"),
        )
    )
    names = f"{own['cohort']}, {own['model']}, {own['pair_table'].replace('_', ' ')}"
    return f"{names}: {', '.join(counts)}"


KIND_LINES = dict(zip(KIND_NAMES, ("-", "--", ":", "-."), strict=True))

STRONGEST = 6

COLUMNS = 4


@styled
def draw_doses(
    levels: pd.DataFrame,
    pairs: pd.DataFrame,
    summary: pd.DataFrame,
    named: Sequence[tuple[str, str]] = (),
    colour: str = MODEL_COLOURS[0],
) -> Figure:
    """Change of the predicted output with the input's level, a panel a pair.

    The strongest pairs (slope furthest beyond that of genes of similar expression, in the expected
    direction; one an input), then those named as far as the table has them. An output that the
    model holds at 0 is marked. The title counts all pairs that exceed genes of similar expression.

    Parameters
    ----------
    levels, pairs, summary
        Of `summary.summarise_pairs`.
    named
        (input, output) of pairs to show whatever they do.
    colour
        Of the model.
    """
    lines = -(-len(_shown(pairs, named, STRONGEST)) // COLUMNS)
    figure = Figure(figsize=(DOUBLE, 1.65 * lines + 0.75))
    fill_doses(figure, levels, pairs, summary, named, colour=colour)
    return figure


def fill_doses(
    figure: FigureBase,
    levels: pd.DataFrame,
    pairs: pd.DataFrame,
    summary: pd.DataFrame,
    named: Sequence[tuple[str, str]] = (),
    strongest: int = STRONGEST,
    colour: str = MODEL_COLOURS[0],
) -> None:
    """Fill a figure, or a part of one, with `draw_doses`; of so many of the `strongest` pairs."""
    colours = {"matched": colour, **CONTROL_COLOURS}
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
            change = own["change"] * scale
            ax.plot(own["level"], change, KIND_LINES[kind], color=colours[kind], label=label)
            if kind == "matched":
                band = own["low"] * scale, own["high"] * scale
                ax.fill_between(own["level"], *band, color=colour, alpha=0.2, lw=0)
        shut = "\ncannot respond" * bool(row["unmoved"])
        ax.set_title(f"{row['input']} → {row['output']}{' (down)' * (row['sign'] < 0)}{shut}")
        ax.margins(x=0.03)
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.yaxis.set_major_locator(MaxNLocator(4))
    for ax in panels.flat[len(shown) :]:
        ax.set_axis_off()
    for ax in panels.flat[(lines - 1) * COLUMNS : len(shown)]:
        ax.set_xlabel("input in neighbours\n(log1p)")
    for ax in panels[:, 0]:
        ax.set_ylabel(f"change of output\n({unit})")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    headline(figure, pairs_counted(pairs), pairs_title(summary))


def _shown(pairs: pd.DataFrame, named: Sequence[tuple[str, str]], most: int) -> pd.DataFrame:
    strongest = strongest_pairs(pairs).head(most)
    key = pd.MultiIndex.from_frame(pairs[["input", "output"]])
    wanted = pairs[key.isin(named)]
    return pd.concat([strongest, wanted]).drop_duplicates(["input", "output"])
