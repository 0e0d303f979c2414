"""Figure 1: the sections by organ and part, one of them with a neighbourhood, and the network."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize, to_rgba
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from sagefm.common.text import count
from sagefm.networks.registry import describe
from sagefm.plotting.colours import PALE, PART_COLOURS, ROLE_COLOURS
from sagefm.plotting.headline import headline
from sagefm.plotting.histology import NO_TISSUES, Tissue
from sagefm.plotting.style import (
    DOUBLE,
    GREY,
    NEUTRAL,
    below,
    beside,
    lettered,
    styled,
)
from sagefm.plotting.tissue import draw_scale_bar, draw_spots, spot_pitch
from sagefm.report.overview import PARTS, parts_counted


@styled
def draw_overview(
    sections: pd.DataFrame,
    neighbourhood: pd.DataFrame,
    layers: pd.DataFrame,
    facts: Mapping[str, str | float],
    tissues: Mapping[str, Tissue] = NO_TISSUES,
) -> Figure:
    """Spots and sections by organ and part of the split; a neighbourhood; the network.

    Parameters
    ----------
    sections, neighbourhood, layers
        Of `overview.sections_table`, `neighbourhood_table`, `layers_table`.
    facts
        model (its name for readers), its colour, graph (its kind), network, normalisation,
        mask_share (0 to 1).
    tissues
        Of the section whose neighbourhood is shown, if there is one: its image and scale bar.
    """
    rows = len(_rows(sections))
    figure = Figure(figsize=(DOUBLE, 0.22 * rows + 5.8))
    above, under = below(figure, [0.22 * rows + 1.7, 4.1])
    _fill_sections(above, sections)
    left, right = beside(under, [1, 1.55])
    _fill_neighbourhood(left, neighbourhood, tissues)
    _fill_network(right, layers, facts, int((neighbourhood["role"] != "other").sum()))
    return lettered(figure, above, left, right)


def _rows(sections: pd.DataFrame) -> list[tuple[str, str]]:
    """Cohorts and organs in the order they are drawn, the largest organ of a cohort first."""
    spots = sections.groupby(["cohort", "organ"], sort=False, dropna=False)["n_spots"].sum()
    order = {name: i for i, name in enumerate(sections["cohort"].unique())}
    return sorted(spots.index, key=lambda key: (order[key[0]], -spots[key]))


def _fill_sections(figure: FigureBase, sections: pd.DataFrame) -> None:
    """Stacked bars: spots, sections and patients of each cohort's organs, by part."""
    rows = _rows(sections)
    panels = figure.subplots(1, 2, sharey=True)
    measures = {"spots": ("n_spots", "sum"), "sections": ("n_spots", "size")}
    for ax, (label, (column, how)) in zip(panels, measures.items(), strict=True):
        table = sections.groupby(["cohort", "organ", "part"], dropna=False)[column].agg(how)
        wide = table.unstack("part", fill_value=0).reindex(rows)
        left = np.zeros(len(rows))
        for part in PARTS:
            if part in wide:
                width = wide[part].to_numpy()
                ax.barh(range(len(rows)), width, 0.72, left, color=PART_COLOURS[part], label=part)
                left += width
        for y, total in enumerate(left):
            ax.text(total, y, f" {total:,.0f}", va="center", fontsize=7)
        ax.set_xlabel(label)
        ax.set_xlim(0, 1.18 * left.max())
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.xaxis.set_major_formatter("{x:,g}")
    names = [f"{organ} ({cohort})" for cohort, organ in rows]
    panels[0].set_yticks(range(len(rows)), names)
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    headline(
        figure,
        parts_counted(sections),
        ", ".join(
            count(number, noun)
            for number, noun in (
                (sections["cohort"].nunique(), "cohort"),
                (sections["patient"].nunique(), "patient"),
                (sections["organ"].nunique(), "organ"),
                (sections["n_spots"].sum(), "spot"),
            )
        ),
    )


def _fill_neighbourhood(
    figure: FigureBase, spots: pd.DataFrame, tissues: Mapping[str, Tissue]
) -> None:
    """A section's spots by counts, and on it the neighbourhood of one."""
    ax = figure.subplots()
    at = spots[["x_pixels", "y_pixels"]].to_numpy()
    section = str(spots["sample"].iloc[0])
    scale = Normalize(0, np.percentile(spots["counts"], 99))
    greys = ScalarMappable(scale, colormaps["Greys"])
    faces = greys.to_rgba(spots["counts"])
    for role, colour in ROLE_COLOURS.items():
        faces[(spots["role"] == role).to_numpy()] = to_rgba(colour)
    discs = draw_spots(ax, at, spot_pitch(at), tissues.get(section), facecolors=faces)
    discs.set(edgecolor=PALE, linewidth=0.3)
    ax.set_anchor("N")
    draw_scale_bar(ax, at, tissues.get(section))
    bar = figure.colorbar(greys, ax=ax, location="bottom", aspect=18, shrink=0.8, pad=0.02)
    bar.locator, bar.formatter = MaxNLocator(4), StrMethodFormatter("{x:,g}")
    bar.set_label("counts of a spot")
    bar.outline.set_visible(False)
    handles = [
        ax.plot([], [], "o", color=colour, mew=0, label=role)[0]
        for role, colour in ROLE_COLOURS.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    neighbours = count((spots["role"] == "neighbour").sum(), "neighbour")
    about = f"section {section}, {count(len(spots), 'spot')}"
    headline(figure, f"A spot and its {neighbours}", about)


def _fill_network(
    figure: FigureBase, layers: pd.DataFrame, facts: Mapping[str, str | float], size: int
) -> None:
    """Widths of the layers as bars, from the input at the top to the prediction at the bottom."""
    ax = figure.subplots()
    network = describe(str(facts["network"]))
    names = [network.layer_name(name) for name in layers["layer"]]
    hidden = f"{100 * float(facts['mask_share']):g}% of the centre's genes hidden"
    what = network.input_words(str(facts["graph"]), size)
    first, genes = int(layers["inputs"].iloc[0]), int(layers["outputs"].iloc[-1])
    # A network may begin with components of the genes, which are no layer that is trained.
    fixed = [first] * (first < genes)
    widths = [max(first, genes), *fixed, *layers["outputs"]]
    texts = [f"{widths[0]:,} genes: {what};\n{facts['normalisation']}, {hidden}"]
    texts += [f"{width:,}   components, fitted before the training" for width in fixed]
    texts += [
        f"{outputs:,}   {name}: {count(parameters, 'parameter')}"
        for name, outputs, parameters in zip(
            names, layers["outputs"], layers["parameters"], strict=True
        )
    ]
    texts[-2] += "\nembedding"
    texts[-1] += "\nprediction of the hidden genes"
    scale = np.log2(widths) / np.log2(max(widths))
    for y, (share, text) in enumerate(zip(scale, texts, strict=True)):
        colour = {0: GREY, len(texts) - 2: str(facts["colour"]), len(texts) - 1: NEUTRAL}
        _bar(ax, y, share, colour.get(y, PALE))
        ax.text(1.12, y, text, va="center", fontsize=7)
    ends = [[(0.5, y + 0.24), (0.5, y + 0.76)] for y in range(len(texts) - 1)]
    ax.add_collection(LineCollection(ends, colors=NEUTRAL, linewidths=0.8))
    ax.set(xlim=(-0.05, 3.6), ylim=(len(texts) - 0.5, -0.6))
    ax.set_axis_off()
    total = layers["parameters"].sum()
    headline(figure, f"{facts['model']}: {total / 1e6:.1f} million trained parameters")


def _bar(ax: Axes, y: int, share: float, colour: str) -> None:
    ax.add_patch(Rectangle((0.5 - share / 2, y - 0.22), share, 0.44, color=colour, lw=0))
