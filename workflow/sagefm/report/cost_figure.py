"""What representations score against what they cost, from the committed tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from sagefm.common.io import read_table
from sagefm.common.model_names import model_titles
from sagefm.common.text import count
from sagefm.plotting.style import DOUBLE, NEUTRAL, head, save_png, styled
from sagefm.representations.catalogue import REGISTERED, Catalogue, describe_models, is_model
from sagefm.representations.registry import described

SCORES = {
    "tasks": (
        {"task": "pathology", "protocol": "held_out_patients", "classifier": "logistic"},
        [f"patient_balanced_accuracy{part}" for part in ("", "_low", "_high")],
        "balanced accuracy of the pathologist's classes",
    ),
    "clustering": ({"cohort": "breast"}, ["mean", "low", "high"], "ARI of k-means in a section"),
}
"""Of a run's table: the rows, the columns of a score and its interval, its name."""

IMAGE = "costs.png"

LEADER = {"arrowstyle": "-", "color": NEUTRAL, "lw": 0.4, "shrinkB": 4, "relpos": (0, 0.5)}
"""The line from a point to its name."""


def costs_and_scores(peers: pd.DataFrame, scores: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row for each representation that was both timed and scored, and score.

    Parameters
    ----------
    peers
        Of `make bench-peers`: representation, spots, processor_seconds. The fewest spots count:
        they are the cohort that is scored.
    scores
        Tables of a run by the names of `SCORES`.

    Returns
    -------
    DataFrame
        Columns representation, spots, seconds, score (a name), value, low, high.
    """
    timed = peers[peers["spots"] == peers["spots"].min()].dropna(subset="processor_seconds")
    seconds = timed.set_index("representation")["processor_seconds"]
    parts = []
    for name, (rows, columns, title) in SCORES.items():
        table = scores[name][~scores[name]["centred"].astype(bool)]
        for column, value in rows.items():
            table = table[table[column] == value]
        values = table[["representation", *columns]]
        values.columns = pd.Index(["representation", "value", "low", "high"])
        values = values[values["representation"].isin(seconds.index)]
        own = seconds.loc[values["representation"]].to_numpy()
        parts.append(values.assign(seconds=own, score=title))
    return pd.concat(parts, ignore_index=True).assign(spots=timed["spots"].min())


@styled
def draw_costs(table: pd.DataFrame, catalogue: Catalogue = REGISTERED) -> Figure:
    """Scores against processor seconds, a panel for each score; means over patients, 95% intervals.

    Diamonds are models, of which the embedding is timed, not the training.

    Parameters
    ----------
    table
        Of `costs_and_scores`.
    catalogue
        Names and colours of the representations.
    """
    titles = list(pd.unique(table["score"]))
    figure = Figure(figsize=(DOUBLE, 3.4))
    panels = figure.subplots(1, len(titles), squeeze=False)[0]
    for ax, title in zip(panels, titles, strict=True):
        _panel(ax, table[table["score"] == title].sort_values("value"), catalogue)
        ax.set_ylabel(title)
    best = table.loc[table.groupby("score", sort=False)["value"].idxmax(), "representation"]
    leaders = catalogue.titles(list(pd.unique(best)))
    head(
        figure,
        f"{leaders} {'has' if best.nunique() == 1 else 'have'} the highest means; "
        f"{count(table['spots'].iloc[0], 'spot')} on one core",
    )
    return figure


def _panel(ax: Axes, table: pd.DataFrame, catalogue: Catalogue) -> None:
    """The points of one score, in its order, each with its name at the right."""
    low, high = table["low"].min(), table["high"].max()
    places = spread(table["value"].to_numpy(), (high - low) / 16)
    for row, place in zip(table.itertuples(), places, strict=True):
        name = str(row.representation)
        colour, sign = catalogue.colour(name), "D" if is_model(name) else "o"
        ax.plot([row.seconds] * 2, [row.low, row.high], color=colour, lw=0.8, alpha=0.5)
        ax.plot(row.seconds, row.value, sign, color=colour, ms=5, mec="white", mew=0.6)
        name_at_right(ax, catalogue.title(name), (row.seconds, row.value), place)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.set_xlabel("processor seconds")
    ax.grid(axis="y")


def name_at_right(
    ax: Axes, name: str, point: tuple[float, float], place: float, **text: Any
) -> None:
    """Write a point's name right of the panel, at a height of its own, with a line to the point."""
    ax.annotate(
        name,
        point,
        (1.03, place),
        textcoords=ax.get_yaxis_transform(),
        va="center",
        fontsize=7,
        arrowprops=LEADER,
        **text,
    )


def spread(values: np.ndarray, gap: float) -> np.ndarray:
    """Sorted values, moved apart to be at least a gap from each other, as little as may be."""
    steps = gap * np.arange(len(values))
    # The least-squares fit of a rising sequence: neighbours that would overlap share their mean.
    groups: list[list[float]] = []
    for value in values - steps:
        groups.append([value])
        while len(groups) > 1 and np.mean(groups[-2]) > np.mean(groups[-1]):
            last = groups.pop()
            groups[-1] += last
    return np.concatenate([[np.mean(group)] * len(group) for group in groups]) + steps


def write_costs(results: Path, configs: Sequence[Path], image: Path) -> None:
    """Draw the committed tables (`docs/results`) to a PNG, with the names that configs give."""
    table = committed_costs(results)
    save_png(draw_costs(table, catalogue_of_configs(*configs)), image, table)


def catalogue_of_configs(*configs: Path) -> Catalogue:
    """The registry's representations, and the entries and models of configs with their titles."""
    entries: dict[str, dict] = {}
    models: dict[str, dict] = {}
    for config in configs:
        given = yaml.safe_load(config.read_text())
        entries |= given.get("representations", {}).get("methods", {})
        models |= given.get("models", {})
    return Catalogue(described(entries) | describe_models(models, model_titles(models)))


def committed_costs(results: Path) -> pd.DataFrame:
    """`costs_and_scores` of the committed tables: of the demo, and of `make light` for the rest."""
    scores = {}
    for name in SCORES:
        demo, light = (read_table(results / f"{run}/{name}.tsv") for run in ("demo", "light"))
        rest = light[~light["representation"].isin(demo["representation"])]
        scores[name] = pd.concat([demo, rest], ignore_index=True)
    return costs_and_scores(read_table(results / "bench/peers.tsv"), scores)
