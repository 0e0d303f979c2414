"""Imputation of genes that sections lack: scores against the share of the panel that is missing."""

from collections.abc import Mapping
from itertools import cycle, product
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sagefm.common.text import count
from sagefm.common.verdict import ALPHA
from sagefm.imputation.tables import REFERENCE, SETTINGS
from sagefm.plotting.beyond import mark_beyond
from sagefm.plotting.headline import headline
from sagefm.plotting.style import (
    DOUBLE,
    NEUTRAL,
    PREDICTOR_COLOURS,
    PREDICTOR_MARKERS,
    PREDICTOR_NAMES,
    present,
    styled,
)

METRICS = {
    "mse": "mean squared error",
    "r2": "R²",
    "mean_pearson": "mean Pearson\ncorrelation over genes",
}

SETTING_NAMES = {
    "systematic": "all spots lack the genes",
    "centre_only": "neighbours have them",
    "as_released": "drawn as released",
}

NORMALISATION_NAMES = {"log1p": "log1p of counts", "log1p_cp10k": "log1p, scaled to 10,000"}

MODEL_MARKERS = "oPv<>*"

LEAST_R2 = -0.5
"""Where the axis of R2 ends: a triangle marks what is worse."""

ROW_CHARACTERS, LEGEND_CHARACTERS = 90, 38
"""Of the titles of a row of panels together, and of a name in a legend of three columns."""

BARS_APART = 1.2
"""Between the bars of two predictors at one share: percent of genes."""


@styled
def draw_imputation(summary: pd.DataFrame, colours: Mapping[str, str]) -> Figure:
    """Error, R2 and correlation against the share missing; a line each, bars 95 % intervals.

    Columns are settings, for each normalisation apart, since errors on different scales do not
    compare. Baselines (dashed) are those of a normalisation's first model: another's differ only
    by its training sections and graph. The title is where models are better than the depth-scaled
    mean, the strongest baseline without a network.

    Parameters
    ----------
    summary
        Of `tables.summarise_imputation`, with columns model, cohort and normalisation; one cohort.
    colours
        Of the models.
    """
    models = list(summary["model"].unique())
    signs = {name: (colours[name], sign) for name, sign in zip(models, cycle(MODEL_MARKERS))}
    scored = set(zip(summary["normalisation"], summary["setting"], strict=True))
    both = product(summary["normalisation"].unique(), SETTINGS)
    columns = [column for column in both if column in scored]
    scales = [scale for scale, _ in columns]
    figure = Figure(figsize=(DOUBLE, 5.1))
    panels = figure.subplots(len(METRICS), len(columns), sharex=True, squeeze=False)
    handles: dict[str, Line2D] = {}
    for (metric, label), row in zip(METRICS.items(), panels, strict=True):
        row[0].set_ylabel(label)
        for i, (ax, (normalisation, setting)) in enumerate(zip(row, columns, strict=True)):
            # An error is held against another of its own scale alone.
            first = scales.index(normalisation) if metric == "mse" else 0
            if i != first:
                ax.sharey(row[first])
            ax.tick_params(labelleft=i == first)
            wanted = {"normalisation": normalisation, "setting": setting, "metric": metric}
            own = summary[(summary[list(wanted)] == pd.Series(wanted)).all(axis=1)]
            handles |= _lines(ax, own.dropna(subset="mean"), signs)
            ax.grid(axis="y")
    _finish(panels, columns, summary)
    order = [*models, *(PREDICTOR_NAMES[name] for name in PREDICTOR_NAMES)]
    labels = sorted(handles, key=order.index)
    shown = [handles[label] for label in labels]
    counts = ["n_patients", "n_patients_seen", "n_patients_unknown"]
    seen = summary.groupby("model")[counts].max().astype(int)
    names = {
        model: f"{model} ({some} of {count(all_, 'patient')} seen"
        + (f", {unknown} unknown)" if unknown else ")")
        for model, all_, some, unknown in seen.itertuples()
    }
    labels = [names.get(label, label) for label in labels]
    beside = 3 if max(map(len, labels)) <= LEGEND_CHARACTERS else 2
    figure.set_figheight(figure.get_figheight() + 0.15 * -(-len(labels) // beside))
    figure.legend(shown, labels, loc="outside lower center", ncols=beside)
    return figure


def errors_compared(summary: pd.DataFrame) -> str:
    """At how many shares each model's error is significantly below the best baseline's, or above.

    Parameters
    ----------
    summary
        Of `tables.summarise_imputation`, with column model; its first setting counts.
    """
    own = summary[(summary["predictor"] == "model") & (summary["metric"] == "mse")]
    setting = next(name for name in SETTINGS if name in set(own["setting"]))
    own = own[own["setting"] == setting]
    own = own.assign(
        below=(own["difference"] < 0) & (own["p_holm"] < ALPHA),
        above=(own["difference"] > 0) & (own["p_holm"] < ALPHA),
    )
    words = [
        f"{model} lower at {part['below'].sum()} and higher at {part['above'].sum()} of "
        f"{count(len(part), 'share')}"
        for model, part in own.groupby("model", sort=False)
    ]
    return (
        f"Error compared with {PREDICTOR_NAMES[REFERENCE]}, where {SETTING_NAMES[setting]} "
        f"(p < {ALPHA:g}): {'; '.join(words)}"
    )


def _lines(ax: Axes, table: pd.DataFrame, signs: dict[str, tuple[str, str]]) -> dict[str, Line2D]:
    """Lines of one panel, and its legend's entries by model or baseline."""
    first = table["model"].unique()[:1]
    wanted: dict[str, tuple[pd.DataFrame, dict[str, Any]]] = {}
    untrained = table[(table["predictor"] != "model") & table["model"].isin(first)]
    for name in present(untrained["predictor"]):
        own = untrained[untrained["predictor"] == name]
        style = {"color": PREDICTOR_COLOURS[name], "marker": PREDICTOR_MARKERS[name]}
        wanted[PREDICTOR_NAMES[name]] = own, {**style, "ls": "--", "lw": 0.9}
    for model, own in table[table["predictor"] == "model"].groupby("model", sort=False):
        wanted[model] = own, dict(zip(("color", "marker"), signs[model], strict=True))
    drawn = {}
    for i, (name, (own, line)) in enumerate(wanted.items()):
        own = own.sort_values("share")
        x = 100 * own["share"] + BARS_APART * (i - (len(wanted) - 1) / 2)
        drawn[name] = ax.plot(x, own["mean"], ms=3.5, mew=0, **line)[0]
        ax.vlines(x, own["low"], own["high"], color=line["color"], lw=0.8, alpha=0.6)
    return drawn


def _finish(panels, columns: list[tuple[str, str]], summary: pd.DataFrame) -> None:
    """Titles, ends and labels of the axes, and the figure's head."""
    several = len({normalisation for normalisation, _ in columns}) > 1
    for ax, (normalisation, setting) in zip(panels[0], columns, strict=True):
        words = [NORMALISATION_NAMES[normalisation]] * several + [SETTING_NAMES[setting]]
        ax.set_title("\n".join(fill(line, ROW_CHARACTERS // len(columns)) for line in words))
        ax.set_ylim(bottom=0)
    for ax in panels[1]:
        ax.axhline(0, color=NEUTRAL, lw=0.6)
    panels[1][0].set_ylim(bottom=max(panels[1][0].get_ylim()[0], LEAST_R2), top=1)
    for ax in panels[1]:
        for line in [line for line in ax.lines if line.get_marker() != "None"]:
            x, y = line.get_data()
            mark_beyond(ax, x, y, str(line.get_color()))
    for ax in panels[2]:
        ax.axhline(0, color=NEUTRAL, lw=0.6)
    for ax in panels[-1]:
        ax.set_xlabel("missing genes (%)")
        ax.set_xticks(sorted(100 * summary["share"].unique()))
        ax.xaxis.set_major_formatter("{x:g}")
    most = summary[["n_samples", "n_patients", "n_spots"]].max()
    headline(
        panels[0][0].figure,
        errors_compared(summary),
        f"{summary['cohort'].iloc[0]}: genes taken out and predicted, "
        f"{count(most['n_samples'], 'section')}, {count(most['n_patients'], 'patient')}, "
        f"{count(most['n_spots'], 'spot')}",
    )
