"""Tasks (claims 4 and 5): scores by representation and protocol, and each class's scores."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from sagefm.annotation.terms import (
    HEADLINE,
    KEYS,
    MAJORITY,
    headline_protocol,
    of_first_classifier,
)
from sagefm.annotation.titles import classes_led, highest_mean, row_name
from sagefm.common.text import count
from sagefm.common.verdict import FEWEST
from sagefm.plotting.colours import PALE, PROTOCOL_COLOURS
from sagefm.plotting.headline import headline
from sagefm.plotting.style import (
    DOUBLE,
    GREY,
    NEUTRAL,
    percent_axis,
    styled,
)
from sagefm.representations.catalogue import REGISTERED, Catalogue

PROTOCOLS = {
    "random_spots": ("random split (optimistic)", "s"),
    "spatial_blocks": ("spatial blocks", "^"),
    "held_out_samples": ("held-out sections", "D"),
    "held_out_patients": ("held-out patients", "o"),
}
"""Name and mark of each protocol, in the order of drawing."""

METRICS = {
    HEADLINE: "balanced accuracy, mean over patients (%)",
    "accuracy": "accuracy, all spots (%)",
}
"""What the two panels show."""


@styled
def draw_annotation(
    scores: pd.DataFrame,
    patients: pd.DataFrame,
    skipped: pd.DataFrame,
    title: str,
    reported: float | None,
    catalogue: Catalogue = REGISTERED,
) -> Figure:
    """The headline score and the pooled accuracy by representation and protocol.

    The first classifier's, on all patients; best at the top. Small dots are patients; the mark is
    their mean with its 95 % interval, or the accuracy of all spots together. Dotted: the majority
    class under the protocol of the same colour; dashed: the paper's figure. The title is which
    method leads, controls aside.

    Parameters
    ----------
    scores
        Of `tables.with_costs`.
    patients
        Of `by_patient.patient_table`.
    skipped
        Folds that could not be fitted: protocol, reason; they are counted under the panels.
    title
        What the task asks.
    reported
        The paper's accuracy, 0 to 1, or None.
    catalogue
        Names of the representations.
    """
    rows = len(scores[["representation", "centred"]].drop_duplicates()) - 1
    figure = Figure(figsize=(DOUBLE, 0.24 * rows + 1.85))
    fill_annotation(figure, scores, patients, skipped, title, reported, catalogue)
    return figure


def fill_annotation(
    figure: FigureBase,
    scores: pd.DataFrame,
    patients: pd.DataFrame,
    skipped: pd.DataFrame,
    title: str,
    reported: float | None,
    catalogue: Catalogue = REGISTERED,
) -> None:
    """Fill a figure, or a part of one, with `draw_annotation`."""
    whole = of_first_classifier(scores)
    own = whole[whole["representation"] != MAJORITY]
    shown = [name for name in PROTOCOLS if name in set(own["protocol"])]
    key = ["representation", "centred"]
    scored = own[own["protocol"] == headline_protocol(own)].sort_values(HEADLINE)
    order = list(scored[key].itertuples(index=False, name=None))
    names = [
        row_name(row["representation"], bool(row["centred"]), _true(row["transductive"]), catalogue)
        for row in scored.to_dict("records")
    ]
    panels = figure.subplots(1, 2, sharey=True)
    majority = whole[whole["representation"] == MAJORITY].set_index("protocol")
    dots = patients[patients["classifier"] == own["classifier"].iloc[0]]
    offsets = np.linspace(0.2, -0.2, len(shown)) if len(shown) > 1 else [0.0]
    for ax, (metric, label) in zip(panels, METRICS.items(), strict=True):
        for protocol, offset in zip(shown, offsets, strict=True):
            mine = dots[dots["protocol"] == protocol].set_index(key).sort_index()
            _patients(ax, mine, order, metric, protocol, offset)
            part = own[own["protocol"] == protocol].set_index(key)
            _marks(ax, part.reindex(order), metric, protocol, offset)
            ax.axvline(majority[metric][protocol], color=PROTOCOL_COLOURS[protocol], ls=":", lw=1)
        percent_axis(ax)
        ax.grid(axis="x")
        ax.set_xlabel(label)
    if reported is not None:
        panels[1].axvline(reported, color=NEUTRAL, ls="--", lw=0.9)
    panels[0].set_yticks(range(len(order)), names)
    panels[0].set_ylim(-0.6, len(order) - 0.4)
    panels[0].tick_params(axis="y", length=0)
    panels[1].tick_params(axis="y", length=0)
    notes = []
    if len(skipped):
        reasons = "; ".join(dict.fromkeys(skipped["reason"]))
        notes.append(f"{count(len(skipped), 'fold')} skipped: {reasons}")
    if scored["n_at_end"].sum():
        at_end, fits = (scored[name].sum() for name in ("n_at_end", "n_folds"))
        best = "the best hyperparameter may lie beyond those tried"
        notes.append(f"in {at_end:.0f} of {fits:.0f} fits, {best}")
    first = scored.iloc[0]
    headline(
        figure,
        highest_mean(scores, PROTOCOLS[first["protocol"]][0], catalogue),
        f"{title}: {count(first['n_spots'], 'spot')}, {count(first['n_patients'], 'patient')}, "
        f"{first['n_classes']:.0f} classes, {first['classifier']} classifier",
    )
    handles = [_handle(protocol) for protocol in shown]
    handles.append(Line2D([], [], color=NEUTRAL, ls=":", lw=1, label="majority class"))
    if reported is not None:
        text = f"the paper: {100 * reported:g}%"
        handles.append(Line2D([], [], color=NEUTRAL, ls="--", lw=0.9, label=text))
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        title="; ".join(notes),
        title_fontsize=7,
    )


def _true(value: object) -> bool:
    return str(value) == "True"


def _handle(protocol: str) -> Line2D:
    label, marker = PROTOCOLS[protocol]
    return Line2D(
        [], [], color=PROTOCOL_COLOURS[protocol], marker=marker, ms=4, lw=1.2, label=label
    )


def _patients(
    ax: Axes,
    patients: pd.DataFrame,
    order: Sequence[tuple],
    metric: str,
    protocol: str,
    offset: float,
) -> None:
    """A small dot a patient and representation."""
    for row, name in enumerate(order):
        values = patients.loc[[name], metric] if name in patients.index else []
        ax.plot(values, np.full(len(values), row + offset), "o", ms=1.8, alpha=0.45,
                color=PROTOCOL_COLOURS[protocol], mew=0)  # fmt: skip


def _marks(ax: Axes, part: pd.DataFrame, metric: str, protocol: str, offset: float) -> None:
    """A mark a representation; the mean over patients with its interval, within 0 to 100%."""
    colour, marker = PROTOCOL_COLOURS[protocol], PROTOCOLS[protocol][1]
    rows = np.arange(len(part)) + offset
    if metric == HEADLINE:
        ends = part[[f"{metric}_low", f"{metric}_high"]].clip(0, 1)
        ends = ends.where(part["n_patients_counted"] >= FEWEST)
        ax.hlines(rows, *ends.to_numpy().T, color=colour, lw=1.2)
    ax.plot(part[metric], rows, marker, ms=4, color=colour, mec="white", mew=0.4)


def _role_colours(shown: pd.DataFrame, catalogue: Catalogue) -> dict[str, str]:
    """The representations' own colours; of equal ones, the second and third are greys."""
    colours: dict[str, str] = {}
    for role, name in zip(shown["role"], shown["representation"], strict=True):
        own = catalogue.colour(name)
        free = (own, GREY, PALE)
        colours[role] = next(colour for colour in free if colour not in colours.values())
    return colours


@styled
def draw_classes(
    classes: pd.DataFrame, shown: pd.DataFrame, title: str, catalogue: Catalogue = REGISTERED
) -> Figure:
    """Precision and recall of each class: bars for the headline, the best other, a baseline.

    The title is in how many classes each has the highest recall.

    Parameters
    ----------
    classes
        Of `tables.class_table`.
    shown
        Whose (role, representation, centred, classifier, protocol).
    title
        What the task asks.
    catalogue
        Names and colours of the representations.
    """
    picked = shown.merge(classes, on=KEYS)
    order = picked.drop_duplicates("class").sort_values("n_spots")
    names = list(order["class"])
    height = 0.8 / len(shown)
    colours = _role_colours(shown, catalogue)
    figure = Figure(figsize=(DOUBLE, (0.16 * len(shown) + 0.1) * len(names) + 1.45))
    panels = figure.subplots(1, 2, sharey=True)
    for ax, (value, label) in zip(
        panels, {"recall": "recall (%)", "precision": "precision (%)"}.items(), strict=True
    ):
        for number, row in enumerate(shown.to_dict("records")):
            part = picked[picked["role"] == row["role"]].set_index("class").reindex(names)
            rows = np.arange(len(names)) + 0.4 - height * (number + 0.5)
            label_row = row_name(row["representation"], bool(row["centred"]), catalogue=catalogue)
            ax.barh(rows, part[value], height=height * 0.9, color=colours[row["role"]],
                    label=label_row)  # fmt: skip
            for words, there in (("never predicted", part[value].isna()), ("0", part[value] == 0)):
                for y in rows[there.to_numpy()]:
                    ax.text(0.01, y, words, va="center", fontsize=7, color=NEUTRAL)
        percent_axis(ax)
        ax.set_xlim(0, 1.03)
        ax.grid(axis="x")
        ax.set_xlabel(label)
        ax.tick_params(axis="y", length=0)
    spots = [
        f"{name}\n({count(n, 'spot')})" for name, n in zip(names, order["n_spots"], strict=True)
    ]
    panels[0].set_yticks(range(len(names)), spots)
    panels[0].set_ylim(-0.6, len(names) - 0.4)
    protocol = PROTOCOLS[shown["protocol"].iloc[0]][0]
    about = f"{title}: {protocol}, {shown['classifier'].iloc[0]} classifier"
    headline(figure, classes_led(classes, shown, catalogue), about)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(handles))
    return figure
