"""Figure 3 of the paper on one page: clusters, and the heterogeneity that they preserve."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from sagefm.clustering.figures import fill_batch_biology, fill_metrics
from sagefm.clustering.map_figures import fill_cluster_maps, fill_umap
from sagefm.plotting.histology import NO_TISSUES, Tissue
from sagefm.plotting.style import DOUBLE, below, beside, lettered, styled
from sagefm.plotting.tissue import most_labelled
from sagefm.representations.catalogue import REGISTERED, Catalogue

UMAPS = 4

METRICS = {
    ("section", "kmeans", "label", "ari"): "ARI\nk-means",
    ("section", "kmeans", None, "silhouette_pcs"): "silhouette\nk-means",
    ("cohort", "none", "label", "purity_across"): "purity of labels,\nother patients",
}
"""Metrics shown: agreement with labels, compactness, and a purity immune to batch effects."""


@styled
def draw_clustering_page(
    umap: pd.DataFrame,
    clusters: Mapping[str, pd.DataFrame],
    summary: pd.DataFrame,
    palette: Mapping[str, str],
    drop: Sequence[str],
    catalogue: Catalogue = REGISTERED,
    tissues: Mapping[str, Tissue] = NO_TISSUES,
) -> Figure:
    """Draw figure 3: UMAP, clusters and labels of a section, metrics, batch against biology.

    Parameters
    ----------
    umap, clusters, palette, drop, tissues
        As in `draw_umap` and `draw_cluster_maps`. The UMAP shows up to `UMAPS` representations that
        are in `clusters`.
    summary
        Result of `tables.clustering_summary`.
    catalogue
        Names, colours and roles of the representations.
    """
    figure = Figure(figsize=(DOUBLE, 9.7))
    first, second, third = below(figure, [3.3, 2.0, 4.4])
    # Layouts use principal components, and those of the input are the same as PCA's.
    shown = [name for name in clusters if catalogue[name].role != "input"][:UMAPS]
    by_name = dict([*umap.groupby("representation", sort=False)])
    points = pd.concat(by_name[name] for name in shown if name in by_name)
    fill_umap(first, points, palette, catalogue)
    sections = most_labelled(next(iter(clusters.values())), drop)[:1]
    if sections:
        fill_cluster_maps(second, clusters, palette, drop, "kmeans", sections, catalogue, tissues)
    left, right = beside(third, [1.3, 1])
    fill_metrics(left, summary, METRICS, catalogue)
    purity = {"purity": "neighbour purity"}
    fill_batch_biology(right, summary, purity, marks_of="c", catalogue=catalogue)
    return lettered(figure, first, second, left, right)
