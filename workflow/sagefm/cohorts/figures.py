"""Quality control of a cohort: what each section brings, drawn from its table."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sagefm.common.text import count
from sagefm.plotting.colours import ORGAN_COLOURS
from sagefm.plotting.headline import headline
from sagefm.plotting.style import DOUBLE, NEUTRAL, shades, styled

MOST_ROWS = 40
"""Sections that can be shown one by one; of larger cohorts the distribution is drawn."""

NAME_CHARACTERS = 26
"""A line of a section's name: longer ones are broken, as the panels need the width."""

MEASURES = {
    "spots_kept": "spots",
    "median_counts": "counts per spot\n(median)",
    "median_genes": "genes per spot\n(median)",
    "panel_share": "panel genes\npresent (%)",
    "mito_percent": "mitochondrial\ncounts per spot\n(median, %)",
}


def depth_difference(table: pd.DataFrame) -> str:
    """How much the depth of sections differs, which the paper's normalisation does not correct.

    Parameters
    ----------
    table
        Of `qc.qc_table`: the median counts of a spot, section by section.
    """
    depth = table["median_counts"].astype(float).dropna()
    if depth.empty:
        return "The depth of the sections is unknown"
    low, high = depth.min(), depth.max()
    if len(depth) == 1:
        return f"The section has {low:,.0f} counts per spot (median)"
    ends = f"median counts per spot {low:,.0f} to {high:,.0f}"
    if low == high:
        return f"All sections have {low:,.0f} counts per spot (median)"
    if not low:
        return f"Depth differs between sections: {ends}"
    return f"Depth differs {high / low:.2g}-fold between sections: {ends}"


@styled
def draw_qc(table: pd.DataFrame, organs: Sequence[str] = ()) -> Figure:
    """Spots, depth, genes and panel coverage of a cohort's sections.

    One row a section, coloured by organ; in cohorts of more than `MOST_ROWS`, histograms over
    sections. A measure that no section has, such as the mitochondrial share, is left out. The title
    is how much depth differs between sections.

    Parameters
    ----------
    table
        Of `qc.qc_table`.
    organs
        All of the run, so that each has one colour in the figures of all cohorts; the table's if
        not given.
    """
    panel = table["genes_panel"] + table["genes_missing"]
    table = table.assign(
        panel_share=100 * table["genes_panel"] / panel,
        mito_percent=100 * table["median_mito_share"].astype(float),
    )
    measures = {key: label for key, label in MEASURES.items() if table[key].notna().any()}
    own = table["organ"].fillna("unknown")
    known = list(dict.fromkeys([*organs, *sorted(own)]))
    colours = dict(zip(known, shades(len(known), ORGAN_COLOURS), strict=True))
    one_by_one = len(table) <= MOST_ROWS
    figure = Figure(figsize=(DOUBLE, 1.6 + 0.19 * max(len(table), 5) if one_by_one else 2.45))
    panels = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
    for ax, (key, label) in zip(panels, measures.items(), strict=True):
        if one_by_one:
            ax.barh(range(len(table)), table[key], height=0.72, color=own.map(colours))
            ax.grid(axis="x")
            ax.tick_params(axis="y", length=0)
            if key == "panel_share":
                ax.set_xlim(0, 100)
        else:
            ax.hist(table[key].dropna(), bins=20, color=NEUTRAL)
        ax.locator_params(axis="x", nbins=3, steps=[1, 2, 2.5, 5, 10])
        ax.xaxis.set_major_formatter("{x:,g}")
        ax.set_xlabel(label)
    if one_by_one:
        _name_rows(panels[0], table)
        _mark_removed(
            figure, panels[0], table, {organ: colours[organ] for organ in sorted(set(own))}
        )
    panels[0].set_ylabel("section (patient)" if one_by_one else "sections")
    kept, source = table["spots_kept"].sum(), table["spots_source"].sum()
    names = f"organ: {own[0]}" if own.nunique() == 1 else count(own.nunique(), "organ")
    headline(
        figure,
        depth_difference(table),
        f"{table['cohort'].iloc[0]} ({names}): {count(len(table), 'section')}, {kept:,} of "
        f"{count(source, 'spot')} kept, {panel.iloc[0]:,} panel genes",
    )
    return figure


def _name_rows(ax: Axes, table: pd.DataFrame) -> None:
    patients = table["patient"].fillna("")
    names = [
        fill(f"{sample} ({patient})" if patient else sample, NAME_CHARACTERS)
        for sample, patient in zip(table["sample"], patients, strict=True)
    ]
    ax.set_yticks(range(len(table)), names)
    ax.set_ylim(len(table) - 0.4, -0.6)


def _mark_removed(
    figure: Figure, ax: Axes, table: pd.DataFrame, colours: Mapping[str, str]
) -> None:
    """Show the spots removed as white ends of the bars; say what the colours mean."""
    removed = table["spots_source"] - table["spots_kept"]
    handles: list[Artist | BarContainer] = [
        Patch(color=colour, label=organ) for organ, colour in colours.items()
    ]
    handles = handles if len(handles) > 1 else []
    if removed.any():
        rows = np.flatnonzero(removed)
        width, left = removed.iloc[rows], table["spots_kept"].iloc[rows]
        white = ax.barh(rows, width, 0.72, left, color="white", ec="black", lw=0.6)
        white.set_label("spots removed")
        handles.append(white)
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6))
