"""How much of the released embeddings this run reproduces."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sagefm.common.text import count
from sagefm.conformance.tables import OUTCOMES
from sagefm.plotting.style import DOUBLE, GREY, OKABE_ITO, styled

COLOURS = dict(
    zip(
        OUTCOMES,
        (OKABE_ITO["blue"], OKABE_ITO["orange"], OKABE_ITO["vermilion"], GREY),
        strict=True,
    )
)


@styled
def draw_conformance(summary: pd.DataFrame, held: pd.DataFrame, rows: pd.DataFrame) -> Figure:
    """Rows of each section by what became of them; differences of all rows that have a spot.

    Parameters
    ----------
    summary, held, rows
        Of `tables.conformance_summary`, `sections_held` and `conformance_rows`.
    """
    (found,) = summary.to_dict("records")
    figure = Figure(figsize=(DOUBLE, max(2.4, 0.11 * len(held) + 1.3)))
    bars, histogram = figure.subplots(1, 2, width_ratios=[1.4, 1])
    left = np.zeros(len(held))
    for outcome in [*OUTCOMES][:-1]:
        number = held[outcome].to_numpy()
        bars.barh(np.arange(len(held)), number, left=left, color=COLOURS[outcome], label=outcome)
        left += number
    bars.scatter(held["spots"], np.arange(len(held)), marker="|", s=14, color="black", lw=0.8)
    bars.set_yticks(np.arange(len(held)), held["sample"], fontsize=5 if len(held) > 25 else 7)
    bars.invert_yaxis()
    bars.set_xlabel("rows of the file (bar), spots of the section (line)")
    bars.set_title(f"{count(len(held), 'section')}, {found['whole_sections']} of them whole")
    floor = 1e-9
    for outcome in [*OUTCOMES][:-1]:
        own = rows.loc[rows["outcome"] == outcome, "difference"].dropna().clip(lower=floor)
        if len(own):
            histogram.hist(
                own, bins=np.geomspace(floor, 10, 51), color=COLOURS[outcome], label=outcome
            )
    histogram.axvline(found["tolerance"], color="black", lw=0.6, ls="--")
    histogram.set(xscale="log", xlabel="difference (share of the spread)", ylabel="rows")
    if found["not_found"]:
        histogram.plot([], [], "s", color=COLOURS["not found"], label="not found: no difference")
    histogram.set_title(f"{found['not_found']:,} rows not found")
    histogram.legend()
    figure.suptitle(
        f"{100 * found['share_matched']:.4g}% of the {found['rows']:,} released embeddings are "
        "reproduced",
        x=0.01,
        ha="left",
    )
    return figure
