"""Clusters and labels to look at: UMAP, and maps of sections beside the pathologist's."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.optimize import linear_sum_assignment

from sagefm.figures.style import DOUBLE, categorical, count, head, styled
from sagefm.names import representation_name

UNLABELLED = "#D5D5D5"
UNMATCHED = "#9A9A9A"
UMAP_COLUMNS = 4
MAPS_SHOWN = 5
"""Representations beside the labels, as many as a page takes."""


@styled
def draw_umap(table: pd.DataFrame) -> Figure:
    """UMAP of each representation, coloured by label (above) and by patient (below).

    Parameters
    ----------
    table
        Of `cluster_umap.umap_table`.
    """
    names = list(pd.unique(table["representation"]))
    factors = {"label": "label", "patient": "patient"}
    if table["label"].isna().all():
        factors.pop("label")
    colours = {factor: categorical(table[factor].dropna().astype(str)) for factor in factors}
    blocks = -(-len(names) // UMAP_COLUMNS)
    shown = min(UMAP_COLUMNS, len(names))
    size = (DOUBLE - 0.3) / UMAP_COLUMNS
    lines = blocks * len(factors)
    legend = sum(0.17 * -(-len(own) // 4) + 0.2 for own in colours.values())
    figure = Figure(figsize=(size * shown + 0.3, lines * (size + 0.08) + legend + 0.5))
    panels = figure.subplots(lines, shown, squeeze=False)
    for ax in panels.flat:
        ax.set_axis_off()
    drawn = np.random.default_rng(0).permutation(table["representation"].eq(names[0]).sum())
    for i, name in enumerate(names):
        own = table[table["representation"] == name].iloc[drawn]
        for line, factor in enumerate(factors):
            ax = panels[i // shown * len(factors) + line, i % shown]
            ax.set_axis_on()
            colour = own[factor].astype(str).map(colours[factor]).fillna(UNLABELLED)
            ax.scatter(
                own["umap_1"], own["umap_2"], s=2, c=colour.to_numpy(), lw=0, rasterized=True
            )
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(True)
            if line == 0:
                ax.set_title(representation_name(name))
            if i % shown == 0:
                ax.set_ylabel(f"by {factor}")
    # Legends one under the other, each as wide as the page.
    entries = []
    for factor, own in colours.items():
        entries.append(Line2D([], [], ls="", label=f"{factor}:"))
        entries += [_dot(colour, label) for label, colour in own.items()]
    if "label" in factors and table["label"].isna().any():
        entries.append(_dot(UNLABELLED, "no label"))
    figure.legend(handles=entries, loc="outside lower center", ncols=4, columnspacing=1.2)
    head(figure, f"UMAP of {count(len(drawn), 'spot')}, the same in every panel")
    return figure


@styled
def draw_cluster_maps(
    clusters: Mapping[str, pd.DataFrame],
    drop: Sequence[str] = (),
    kind: str = "kmeans",
    sections: int = 3,
) -> Figure:
    """The labels of a few sections, and beside them clusters of each representation.

    Shown are the sections with the most labels. A cluster has the colour of the label it is
    matched to (one to one, most spots in common); one that is matched to none is grey.

    Parameters
    ----------
    clusters
        By representation, of `clustering.cluster_representation`; the first `MAPS_SHOWN` are drawn.
    drop
        Labels that are not scored, and shown as no label.
    kind
        Clustering shown, within the section.
    sections
        Most sections shown.
    """
    names = list(clusters)[:MAPS_SHOWN]
    first = clusters[names[0]]
    first = first.assign(label=first["label"].mask(first["label"].isin(drop)))
    labels = first.dropna(subset="label").groupby("sample")["label"]
    chosen = labels.nunique().sort_values(ascending=False, kind="stable").index[:sections]
    if not len(chosen):
        figure = Figure(figsize=(DOUBLE, 0.6))
        head(figure, "no section of this cohort has labels to lay clusters beside")
        return figure
    colours = categorical(first["label"].dropna())
    columns = 1 + len(names)
    width = (DOUBLE - 0.2) / columns
    spans = [np.ptp(first.loc[first["sample"] == name, ["x", "y"]], axis=0) for name in chosen]
    heights = [width * float(np.clip(y / max(x, 1), 0.3, 2)) for x, y in spans]
    figure = Figure(figsize=(DOUBLE, sum(heights) + 0.1 * len(chosen) + 0.95))
    panels = figure.subplots(len(chosen), columns, squeeze=False, height_ratios=heights)
    for line, section in zip(panels, chosen, strict=True):
        inside = (first["sample"] == section).to_numpy()
        truth = first.loc[inside, "label"]
        _map(line[0], first[inside], truth.map(colours).fillna(UNLABELLED))
        line[0].set_ylabel(section)
        for ax, name in zip(line[1:], names, strict=True):
            own = clusters[name][inside]
            found = own[f"{kind}_section"]
            matched = matched_labels(truth.to_numpy(), found.to_numpy())
            _map(ax, own, found.map(matched).map(colours).fillna(UNMATCHED))
    titles = ["labels", *map(representation_name, names)]
    for ax, title in zip(panels[0], titles, strict=True):
        ax.set_title(title, loc="center")
    present = first.loc[first["sample"].isin(chosen), "label"]
    entries = [_dot(colour, label) for label, colour in colours.items() if label in set(present)]
    if present.isna().any():
        entries.append(_dot(UNLABELLED, "no label"))
    entries.append(_dot(UNMATCHED, "cluster matched to no label"))
    figure.legend(handles=entries, loc="outside lower center", ncols=4)
    head(figure, f"{kind.replace('kmeans', 'k-means')} within sections, beside the labels")
    return figure


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


def _map(ax: Axes, spots: pd.DataFrame, colours: pd.Series) -> None:
    """Spots of a section, y downwards as in the image, their size that of the array's pitch."""
    area = np.ptp(spots["x"]) * np.ptp(spots["y"])
    span = max(np.ptp(spots["x"]), np.ptp(spots["y"]))
    inches = ax.get_window_extent().width / ax.figure.dpi
    pitch = np.sqrt(area / len(spots)) / max(span, 1e-9) * 72 * inches
    ax.scatter(
        spots["x"], spots["y"], s=0.55 * pitch**2, lw=0, c=[to_rgba(c) for c in colours],
        rasterized=True,
    )  # fmt: skip
    ax.set(aspect="equal", xticks=[], yticks=[])
    ax.invert_yaxis()
    ax.spines[:].set_visible(False)
