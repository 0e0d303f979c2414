"""What a model is trained on: samples of each organ, by their part of the split."""

import pandas as pd
from matplotlib.figure import Figure

from sagefm.figures.style import DOUBLE, GREY, SPLIT_COLOURS, head, styled
from sagefm.told import count


@styled
def draw_pretraining_set(organs: pd.DataFrame) -> Figure:
    """Samples of each organ, coloured by part, and the groups that are kept on one side.

    Parameters
    ----------
    organs
        Of `pretraining_set.organs_table`.
    """
    figure = Figure(figsize=(DOUBLE, 1.5 + 0.17 * len(organs)))
    samples, groups = figure.subplots(1, 2, sharey=True, width_ratios=[2, 1])
    start = organs["train"] * 0
    for part, colour in SPLIT_COLOURS.items():
        samples.barh(organs["organ"], organs[part], left=start, color=colour, label=part)
        start = start + organs[part]
    samples.set_xlabel("samples")
    groups.barh(organs["organ"], organs["n_groups"], color=GREY)
    groups.set_xlabel("groups (patients, or\nsamples that name none)")
    for ax in (samples, groups):
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ax.locator_params(axis="x", nbins=5, integer=True)
    samples.invert_yaxis()
    figure.legend(*samples.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    spots = organs["expected_spots"]
    head(
        figure,
        f"{count(organs['n_samples'].sum(), 'sample')} of {count(len(organs), 'organ')}"
        + (f", {count(int(spots.sum()), 'spot')} by the sheet" if spots.notna().all() else ""),
    )
    return figure
