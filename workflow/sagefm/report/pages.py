"""Figures 2 to 5, a page each: what the chapters draw one by one, side by side as in the paper."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure, FigureBase

from sagefm.annotation.figures import fill_annotation
from sagefm.annotation.map_figures import fill_annotation_maps, fill_confusion
from sagefm.clustering.figures import PANELS, fill_batch_biology, fill_metrics
from sagefm.clustering.map_figures import fill_cluster_maps, fill_umap, most_labelled
from sagefm.perturbation.direction_figures import fill_directions, fill_response_maps
from sagefm.perturbation.figures import fill_distributions, fill_doses
from sagefm.plotting.style import DOUBLE, below, beside, head, letter, styled
from sagefm.recovery.figures import fill_recovered
from sagefm.recovery.gene_figures import fill_correlation_by_detection, fill_maps

UMAPS = 4

METRICS = {
    key: PANELS[key]
    for key in (
        ("section", "kmeans", "label", "ari"),
        ("section", "kmeans", None, "silhouette_pcs"),
        ("cohort", "none", "label", "purity_across"),
    )
}
"""Of clusterings: agreement with labels, compactness, and what no batch effect can raise."""


@styled
def draw_recovery_page(
    summary: pd.DataFrame, genes: pd.DataFrame, maps: pd.DataFrame, reported: float
) -> Figure:
    """Figure 2: share of genes recovered, correlation by detection rate, maps of genes.

    Parameters
    ----------
    summary, genes, maps, reported
        As `draw_recovered`, `draw_correlation_by_detection` and `draw_maps` take them.
    """
    figure = Figure(figsize=(DOUBLE, 9.3))
    first, second, third = below(figure, [2.2, 2.7, 4.4])
    fill_recovered(first, summary, reported)
    head(first, "genes recovered, and how well")
    fill_correlation_by_detection(second, genes)
    fill_maps(third, maps)
    return _lettered(figure, first, second, third)


@styled
def draw_clustering_page(
    umap: pd.DataFrame,
    clusters: Mapping[str, pd.DataFrame],
    summary: pd.DataFrame,
    palette: Mapping[str, str],
    drop: Sequence[str],
) -> Figure:
    """Figure 3: UMAP, clusters beside the labels of a section, metrics, batch against biology.

    Parameters
    ----------
    umap, clusters, palette, drop
        As `draw_umap` and `draw_cluster_maps` take them; of the UMAP, representations that are
        among `clusters` are shown, up to `UMAPS`.
    summary
        Of `clustering_tables.summary_table`.
    """
    figure = Figure(figsize=(DOUBLE, 9.3))
    first, second, third = below(figure, [3.7, 2.0, 3.6])
    # Of the cohort as a whole `raw` is its principal components, as `pca` is.
    shown = [name for name in clusters if name != "raw"][:UMAPS]
    by_name = dict([*umap.groupby("representation", sort=False)])
    fill_umap(first, pd.concat(by_name[name] for name in shown if name in by_name), palette)
    sections = most_labelled(next(iter(clusters.values())), drop)[:1]
    if sections:
        fill_cluster_maps(second, clusters, palette, drop, "kmeans", sections)
    left, right = beside(third, [1.5, 1])
    fill_metrics(left, summary, METRICS, len(METRICS))
    fill_batch_biology(right, summary, {"purity": "neighbour purity"}, legend_below=True)
    return _lettered(figure, first, second, left, right)


@styled
def draw_annotation_page(tasks: Sequence[Mapping], palette: Mapping[str, str]) -> Figure:
    """Figure 4: of the first task, accuracy, confusion, two maps; of the others, accuracy.

    Parameters
    ----------
    tasks
        Of each: scores, skipped, title, reported as `draw_annotation` takes them; confusion, maps
        and shown as `draw_confusion` and `draw_annotation_maps` do.
    palette
        Colours of the first task's labels.
    """
    heights = [_score_height(task["scores"]) for task in tasks]
    middle = 3.1
    figure = Figure(figsize=(DOUBLE, sum(heights) + middle))
    first, second, *others = below(figure, [heights[0], middle, *heights[1:]])
    _fill_scores(first, tasks[0])
    left, right = beside(second, [1, 1])
    shown = tasks[0]["shown"]
    headline = shown[shown["role"] == "headline"]
    fill_confusion(left, tasks[0]["confusion"], headline, "confusion")
    maps = tasks[0]["maps"]
    chosen = most_labelled(maps, [])[:2]
    own = maps[maps["sample"].isin(chosen)]
    fill_annotation_maps(right, own, shown, "maps", palette, across=1, legend_columns=2)
    for part, task in zip(others, tasks[1:], strict=True):
        _fill_scores(part, task)
    return _lettered(figure, first, left, right, *others)


def _as_it_is(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of representations as they are; of the centred ones, if there are no others."""
    plain = scores[~scores["centred"].astype(bool)]
    return plain if plain["representation"].nunique() > 1 else scores


def _score_height(scores: pd.DataFrame) -> float:
    return 0.21 * (_as_it_is(scores)["representation"].nunique() - 1) + 1.25


def _fill_scores(figure: FigureBase, task: Mapping) -> None:
    scores = _as_it_is(task["scores"])
    fill_annotation(figure, scores, task["skipped"], task["title"], task["reported"])


@styled
def draw_perturbation_page(
    levels: pd.DataFrame,
    pairs: pd.DataFrame,
    summary: pd.DataFrame,
    discrimination: pd.DataFrame,
    maps: pd.DataFrame,
) -> Figure:
    """Figure 5: doses of the four strongest pairs, all pairs, both directions, a map.

    Parameters
    ----------
    levels, pairs, summary, discrimination, maps
        As `draw_doses`, `draw_distributions`, `draw_directions` and `draw_response_maps` take them.
    """
    figure = Figure(figsize=(DOUBLE, 9.5))
    parts = below(figure, [2.1, 2.4, 2.9, 2.1])
    fill_doses(parts[0], levels, pairs, summary, strongest=4)
    fill_distributions(parts[1], pairs, summary)
    head(parts[1], "slopes of all pairs and of their controls")
    fill_directions(parts[2], pairs, discrimination, summary)
    head(parts[2], "forward against reverse, and against co-expression")
    first = maps[["input", "output"]].iloc[0]
    fill_response_maps(parts[3], maps[(maps[["input", "output"]] == first).all(axis=1)])
    return _lettered(figure, *parts)


def _lettered(figure: Figure, *parts: FigureBase) -> Figure:
    """The figure, its parts lettered from a."""
    for part, sign in zip(parts, "abcdefgh", strict=False):
        letter(part, sign)
    return figure
