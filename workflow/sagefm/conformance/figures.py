"""How much of the released embeddings this run reproduces."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sagefm.common.text import count
from sagefm.conformance.tables import OUTCOMES
from sagefm.plotting.colours import MODEL_COLOURS, PALE
from sagefm.plotting.headline import headline
from sagefm.plotting.style import DOUBLE, NEUTRAL, styled


@styled
def draw_conformance(
    summary: pd.DataFrame,
    held: pd.DataFrame,
    rows: pd.DataFrame,
    colour: str = MODEL_COLOURS[0],
) -> Figure:
    """Rows of each section by what became of them; differences of all rows that have a spot.

    Rows that are equal to an embedding of the model have its colour, others are grey. The title is
    how many are equal.

    Parameters
    ----------
    summary, held, rows
        Of `tables.conformance_summary`, `sections_held` and `conformance_rows`.
    colour
        Of the model.
    """
    colours = dict(zip([*OUTCOMES][:-1], (colour, PALE, NEUTRAL), strict=True))
    (found,) = summary.to_dict("records")
    figure = Figure(figsize=(DOUBLE, max(2.6, 0.13 * len(held) + 1.5)))
    bars, histogram = figure.subplots(1, 2, width_ratios=[1.4, 1])
    left = np.zeros(len(held))
    for outcome, own_colour in colours.items():
        number = held[outcome].to_numpy()
        bars.barh(np.arange(len(held)), number, left=left, color=own_colour, label=outcome)
        left += number
    bars.scatter(held["spots"], np.arange(len(held)), marker="|", s=14, color="black", lw=0.8)
    bars.set_yticks(np.arange(len(held)), held["sample"])
    bars.invert_yaxis()
    bars.set_xlabel("rows of the file (bar), spots of the section (line)")
    bars.set_title(f"{count(len(held), 'section')}, {found['whole_sections']} of them whole")
    floor = 1e-9
    for outcome, own_colour in colours.items():
        own = rows.loc[rows["outcome"] == outcome, "difference"].dropna().clip(lower=floor)
        if len(own):
            histogram.hist(own, bins=np.geomspace(floor, 10, 51), color=own_colour)
    histogram.axvline(found["tolerance"], color="black", lw=0.6, ls="--")
    histogram.set(xscale="log", xlabel="difference (share of the spread)", ylabel="rows")
    histogram.set_title(f"{count(found['not_found'], 'row')} not found")
    figure.legend(*bars.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    share, embeddings = 100 * found["share_matched"], count(found["rows"], "released embedding")
    headline(figure, f"{share:.4g}% of {embeddings} are reproduced")
    return figure
