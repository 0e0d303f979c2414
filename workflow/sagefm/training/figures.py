"""The course of a training: losses, learning rate, speed."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from sagefm.common.text import count
from sagefm.networks.registry import Loss
from sagefm.plotting.colours import MODEL_COLOURS
from sagefm.plotting.headline import headline
from sagefm.plotting.style import (
    DOUBLE,
    NEUTRAL,
    PREDICTOR_COLOURS,
    PREDICTOR_NAMES,
    SPLIT_COLOURS,
    styled,
)
from sagefm.training.titles import organs_tested, training_course


@styled
def draw_pretraining_set(organs: pd.DataFrame) -> Figure:
    """Sections of each organ, coloured by part, and the groups that are kept on one side.

    The title is which organs are trained on and not tested.

    Parameters
    ----------
    organs
        Of `pretraining_set.organs_table`.
    """
    figure = Figure(figsize=(DOUBLE, 1.8 + 0.17 * len(organs)))
    samples, groups = figure.subplots(1, 2, sharey=True, width_ratios=[2, 1])
    start = organs["train"] * 0
    for part, colour in SPLIT_COLOURS.items():
        samples.barh(organs["organ"], organs[part], left=start, color=colour, label=part)
        start = start + organs[part]
    samples.set_xlabel("sections")
    groups.barh(organs["organ"], organs["n_groups"], color="white", ec=NEUTRAL, lw=0.8)
    groups.set_xlabel("groups (patients, or\nsections that name no patient)")
    for ax in (samples, groups):
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ax.locator_params(axis="x", nbins=5, integer=True)
    samples.invert_yaxis()
    figure.legend(*samples.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    spots = organs["expected_spots"]
    headline(
        figure,
        organs_tested(organs),
        f"{count(organs['n_samples'].sum(), 'section')} of {count(len(organs), 'organ')}"
        + (f", {count(int(spots.sum()), 'spot')} by the sheet" if spots.notna().all() else ""),
    )
    return figure


@styled
def draw_training(
    history: pd.DataFrame,
    summary: Mapping[str, Any],
    model: str,
    loss: Loss,
    colour: str = MODEL_COLOURS[0],
) -> Figure:
    """Losses with the epoch that is kept, learning rate and speed, over epochs.

    A squared error on validation is the mean over all hidden entries, as that of the neighbours'
    mean. The title is how the two compare.

    Parameters
    ----------
    history
        One row an epoch: epoch, train_loss, validation_loss, validation_mse, learning_rate,
        spots_per_second.
    summary
        Of `files.summary`; for a squared error, `validation_mse_neighbour_mean` is drawn as
        what the untrained mean of the neighbours reaches on the same hidden
        entries, or on as many others where masks are redrawn every epoch.
    model
        Its name for readers.
    loss
        Its network's.
    colour
        Of the model.
    """
    figure = Figure(figsize=(DOUBLE, 3.05))
    measure = "mse" if loss.is_squared_error else "loss"
    losses, rate, speed = figure.subplots(1, 3, width_ratios=[2.2, 1, 1])
    epoch = history["epoch"]
    losses.set_title(model)
    marker = "o" if len(history) <= 40 else None
    losses.plot(
        epoch, history["train_loss"], color=NEUTRAL, marker=marker, ms=2.5, label="training"
    )
    losses.plot(
        epoch, history[f"validation_{measure}"], color=colour, marker=marker, ms=2.5,
        label="validation",
    )  # fmt: skip
    best = summary["best_epoch"], summary[f"best_validation_{measure}"]
    losses.plot(*best, "*", color=colour, ms=10, mec="white", label=f"kept: epoch {best[0]}")
    untrained = summary.get("validation_mse_neighbour_mean")
    if loss.is_squared_error and untrained is not None:
        name = f"untrained {PREDICTOR_NAMES['neighbour_mean']}, validation"
        losses.axhline(untrained, color=PREDICTOR_COLOURS["neighbour_mean"], ls="--", label=name)
    losses.set_ylabel(loss.axis)
    headline(
        figure,
        training_course(summary, loss),
        f"training: {count(summary['train_spots'], 'spot')} of "
        f"{count(summary['train_samples'], 'section')}; "
        f"validation: {count(summary['validation_spots'], 'spot')} of "
        f"{count(summary['validation_samples'], 'section')}; "
        f"{count(summary['parameters'], 'parameter')}",
    )
    figure.legend(
        *losses.get_legend_handles_labels(), loc="outside lower center", ncols=4, handlelength=2.2
    )
    rate.plot(epoch, history["learning_rate"], color=NEUTRAL, drawstyle="steps-post")
    if len(history) == 1:
        rate.plot(epoch, history["learning_rate"], "o", color=NEUTRAL)
    rate.set_ylim(0, 1.1 * history["learning_rate"].max())
    form = ScalarFormatter(useMathText=True)
    form.set_powerlimits((-2, 3))
    rate.yaxis.set_major_formatter(form)
    rate.set_ylabel("learning rate")
    speed.plot(epoch, history["spots_per_second"], color=NEUTRAL, marker=marker, ms=2.5)
    speed.set_ylim(0, 1.1 * history["spots_per_second"].max())
    speed.set_ylabel("spots per second")
    speed.set_title(f"{summary['device'].upper()}, {count(summary['threads'], 'thread')}")
    for ax in (losses, rate, speed):
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.set_xlim(epoch.min() - 0.5, epoch.max() + 0.5)
        ax.grid(axis="y")
    return figure
