"""Clusters and labels to look at: UMAP, and maps of sections beside the pathologist's."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D
from scipy.optimize import linear_sum_assignment

from sagefm.clustering.titles import clusters_agree, nearest_alike
from sagefm.common.text import count
from sagefm.plotting.colours import BLANK, UNMATCHED
from sagefm.plotting.headline import headline
from sagefm.plotting.histology import NO_TISSUES, Tissue
from sagefm.plotting.style import DOUBLE, colours_of, head, styled
from sagefm.plotting.tissue import draw_scale_bar, draw_spots, map_shape, most_labelled, spot_pitch
from sagefm.representations.catalogue import REGISTERED, Catalogue

UMAP_COLUMNS = 5

TITLE_CHARACTERS = 18
"""A line of the title of a map: longer names are broken."""

MAPS_SHOWN = 5
"""Representations beside the labels, as many as a page takes."""


@styled
def draw_umap(
    table: pd.DataFrame, palette: Mapping[str, str], catalogue: Catalogue = REGISTERED
) -> Figure:
    """UMAP of each representation but controls, coloured by label (above) and by patient (below).

    The title is how often the nearest spot on the map is of the same patient.

    Parameters
    ----------
    table
        Of `umap.umap_table`.
    palette
        Colours of labels and patients.
    catalogue
        Names of the representations.
    """
    bounds = [name for name in table["representation"].unique() if catalogue.is_bound(name)]
    table = table[~table["representation"].isin(bounds)]
    names = table["representation"].nunique()
    factors = _factors(table)
    size = (DOUBLE - 0.3) / UMAP_COLUMNS
    lines = -(-names // UMAP_COLUMNS) * len(factors)
    legend = 0.17 * (2 + max(table[factor].nunique() // 2 for factor in factors))
    width = size * min(UMAP_COLUMNS, names) + 0.3
    figure = Figure(figsize=(width, lines * (size + 0.08) + legend + 0.65))
    fill_umap(figure, table, palette, catalogue)
    return figure


def fill_umap(
    figure: FigureBase,
    table: pd.DataFrame,
    palette: Mapping[str, str],
    catalogue: Catalogue = REGISTERED,
) -> None:
    """Fill a figure, or a part of one, with `draw_umap`."""
    names = list(pd.unique(table["representation"]))
    factors = _factors(table)
    colours = {
        factor: colours_of(table[factor].dropna().astype(str), palette) for factor in factors
    }
    shown = min(UMAP_COLUMNS, len(names))
    lines = -(-len(names) // UMAP_COLUMNS) * len(factors)
    panels = figure.subplots(lines, shown, squeeze=False)
    for ax in panels.flat:
        ax.set_axis_off()
    drawn = np.random.default_rng(0).permutation(table["representation"].eq(names[0]).sum())
    for i, name in enumerate(names):
        own = table[table["representation"] == name].iloc[drawn]
        for line, factor in enumerate(factors):
            ax = panels[i // shown * len(factors) + line, i % shown]
            ax.set_axis_on()
            colour = own[factor].astype(str).map(colours[factor]).fillna(BLANK)
            ax.scatter(
                own["umap_1"], own["umap_2"], s=2.5, c=colour.to_numpy(), lw=0, rasterized=True
            )
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(True)
            if line == 0:
                ax.set_title(catalogue.title(name), fontsize=7)
            if i % shown == 0:
                ax.set_ylabel(f"by {factor}")
    for factor, own in colours.items():
        entries = [_dot(colour, label) for label, colour in own.items()]
        if table[factor].isna().any():
            entries.append(_dot(BLANK, f"no {factor}"))
        figure.legend(
            handles=entries,
            loc="outside lower left" if factor == factors[0] else "outside lower right",
            ncols=2,
            title=factor,
            alignment="left",
            columnspacing=1.2,
        )
    about = f"UMAP of {count(len(drawn), 'spot')}, the same in every panel"
    headline(figure, nearest_alike(table, catalogue), about)


def _factors(table: pd.DataFrame) -> list[str]:
    """What spots are coloured by: labels if there are any, and patients."""
    return [factor for factor in ("label", "patient") if table[factor].notna().any()]


@styled
def draw_cluster_maps(
    clusters: Mapping[str, pd.DataFrame],
    palette: Mapping[str, str],
    drop: Sequence[str] = (),
    kind: str = "kmeans",
    sections: int = 3,
    catalogue: Catalogue = REGISTERED,
    tissues: Mapping[str, Tissue] = NO_TISSUES,
) -> Figure:
    """The labels of a few sections, and beside them clusters of each representation.

    Shown are the sections with the most labels. A cluster has the colour of the label it is
    matched to (one to one, most spots in common); one that is matched to none is grey. The title is
    at how many of the labelled spots the two agree.

    Parameters
    ----------
    clusters
        By representation, of `cluster.cluster_representation`; the first `MAPS_SHOWN` are drawn.
    palette
        Colours of labels.
    drop
        Labels that are not scored, and shown as no label.
    kind
        Clustering shown, within the section.
    sections
        Most sections shown.
    catalogue
        Names of the representations.
    tissues
        Of the sections, as far as there are any: their images and scale bars.
    """
    first = next(iter(clusters.values()))
    chosen = most_labelled(first, drop)[:sections]
    if not chosen:
        figure = Figure(figsize=(DOUBLE, 0.6))
        head(figure, "no section of this cohort has labels to lay clusters beside")
        return figure
    width = (DOUBLE - 0.2) / (1 + len(list(clusters)[:MAPS_SHOWN]))
    heights = [width * _shape(first, section) for section in chosen]
    figure = Figure(figsize=(DOUBLE, sum(heights) + 0.17 * len(chosen) + 1.2))
    fill_cluster_maps(figure, clusters, palette, drop, kind, chosen, catalogue, tissues)
    return figure


def _shape(spots: pd.DataFrame, section: str) -> float:
    """Height of a section's map by its width."""
    at = spots.loc[spots["sample"] == section, ["x_pixels", "y_pixels"]].to_numpy()
    return map_shape(at, spot_pitch(at), 0.3, 2)


def fill_cluster_maps(
    figure: FigureBase,
    clusters: Mapping[str, pd.DataFrame],
    palette: Mapping[str, str],
    drop: Sequence[str],
    kind: str,
    chosen: Sequence[str],
    catalogue: Catalogue = REGISTERED,
    tissues: Mapping[str, Tissue] = NO_TISSUES,
) -> None:
    """Fill a figure, or a part of one, with `draw_cluster_maps` of the sections chosen."""
    names = list(clusters)[:MAPS_SHOWN]
    first = clusters[names[0]]
    heights = [_shape(first, section) for section in chosen]
    first = first.assign(label=first["label"].mask(first["label"].isin(drop)))
    colours = colours_of(first["label"].dropna(), palette)
    panels = figure.subplots(len(chosen), 1 + len(names), squeeze=False, height_ratios=heights)
    agree: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for line, section in zip(panels, chosen, strict=True):
        inside = (first["sample"] == section).to_numpy()
        truth, tissue = first.loc[inside, "label"], tissues.get(str(section))
        at = first.loc[inside, ["x_pixels", "y_pixels"]].to_numpy()
        _map(line[0], at, truth.map(colours).fillna(BLANK), tissue)
        draw_scale_bar(line[0], at, tissue)
        line[0].set_ylabel(section)
        for ax, name in zip(line[1:], names, strict=True):
            found = clusters[name].loc[inside, f"{kind}_section"]
            matched = matched_labels(truth.to_numpy(), found.to_numpy())
            _map(ax, at, found.map(matched).map(colours).fillna(UNMATCHED), tissue)
            agree[name].append((found.map(matched) == truth)[truth.notna()].to_numpy())
    titles = ["labels", *map(catalogue.title, names)]
    for ax, title in zip(panels[0], titles, strict=True):
        ax.set_title(fill(title, TITLE_CHARACTERS), loc="center", fontsize=7)
    present = first.loc[first["sample"].isin(chosen), "label"]
    entries = [_dot(colour, label) for label, colour in colours.items() if label in set(present)]
    if present.isna().any():
        entries.append(_dot(BLANK, "no label"))
    entries.append(_dot(UNMATCHED, "cluster matched to no label"))
    figure.legend(handles=entries, loc="outside lower center", ncols=4)
    spots = first["sample"].isin(chosen).sum()
    shares = {name: float(np.concatenate(own).mean()) for name, own in agree.items()}
    headline(
        figure,
        clusters_agree(shares, catalogue),
        f"{kind.replace('kmeans', 'k-means')} within sections, beside the labels: "
        f"{count(len(chosen), 'section')}, {count(spots, 'spot')}",
    )


def matched_labels(truth: np.ndarray, clusters: np.ndarray) -> dict[int, str]:
    """The label each cluster is matched to, so that as many spots as can be agree.

    One to one (Hungarian method); clusters beyond the number of labels are matched to none.

    Parameters
    ----------
    truth, clusters
        (spots,): labels, missing where there is none, and clusters.
    """
    counts = pd.crosstab(pd.Series(clusters), pd.Series(truth))
    rows, columns = linear_sum_assignment(counts.to_numpy(), maximize=True)
    return {
        counts.index[row]: counts.columns[column]
        for row, column in zip(rows, columns, strict=True)
        if counts.iloc[row, column]
    }


def _dot(colour: str, label: str) -> Line2D:
    return Line2D([], [], ls="", marker="o", color=colour, label=label)


def _map(ax: Axes, at: np.ndarray, colours: pd.Series, tissue: Tissue | None) -> None:
    """Spots of a section, each in its colour."""
    draw_spots(ax, at, spot_pitch(at), tissue, facecolors=[*colours])
