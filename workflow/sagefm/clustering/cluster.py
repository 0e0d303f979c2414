"""Clusterings of a representation with their scores, and the geometry of its pooled cohort.

Within a section, k-means uses as many clusters as there are labels. Leiden is cut at a fixed
resolution and at the one that agrees best with the labels. The latter uses the labels, so it is an
oracle: an upper bound on the gain from choosing a resolution. The pooled cohort is scored by its
geometry and by integration metrics. Its clusters serve only for maps and exports.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sagefm.clustering.graph import fuzzy_graph, kmeans, leiden, leiden_graph
from sagefm.clustering.heterogeneity import cohort_heterogeneity
from sagefm.clustering.integration import cohort_integration
from sagefm.clustering.metrics import (
    Geometry,
    Ties,
    adjusted_rand,
    external_scores,
    neighbour_scores,
)
from sagefm.clustering.scopes import Scope, Settings, absent_labels, cohort_scopes, section_scopes
from sagefm.representations.files import Representation


@dataclass(frozen=True)
class Result:
    """Tables of one representation.

    scores
        One row per value: scope (`section` or `cohort`), section and its patient, centred,
        clustering (`kmeans`, `leiden`, `leiden_best`; `none` if groups are compared with the
        geometry itself; `integration` for the metrics of that module), factor, metric, seed, value,
        clusters, resolution, spots; and representation, transductive, spatial.
    clusters
        One row per spot: sample, spot, x_pixels, y_pixels, label, and its cluster from the first
        seed for each scope and clustering, without centring.
    skipped
        Scores that could not be computed: scope, section, factor, reason.
    """

    scores: pd.DataFrame
    clusters: pd.DataFrame
    skipped: pd.DataFrame


def cluster_representation(representation: Representation, settings: Settings) -> Result:
    """Cluster a representation within sections and pooled, and score the clusterings.

    Centring removes the mean of each sample and changes nothing within a sample. Only the pooled
    cohort is therefore scored both with and without it. If `values` are sparse, the pooled cohort
    uses their leading `sparse_components` principal components; sections remain exact.
    """
    obs = representation.obs
    skipped = absent_labels(obs, settings.drop)
    samples = obs["sample"].astype(str).to_numpy()
    patients = obs["patient"].astype(str).to_numpy()
    sections = list(section_scopes(representation, samples, settings, skipped))
    cohort = cohort_scopes(representation, samples, settings, skipped)
    rows = [row for scope in sections for row in score_clusterings(scope, settings)]
    tables = [pd.DataFrame(rows)]
    for scope in cohort:
        if not scope.centred:
            _first_clusters(scope, settings)
        tables.append(cohort_heterogeneity(scope, patients, settings))
        tables.append(cohort_integration(scope, patients, settings))
    scores = pd.concat([table for table in tables if len(table)], ignore_index=True)
    scores.insert(0, "representation", representation.name)
    scores["patient"] = scores["section"].map(dict(zip(samples, patients, strict=True)))
    scores["transductive"] = representation.transductive
    scores["spatial"] = representation.spatial_method
    return Result(
        scores,
        _clusters_table(representation, samples, [*sections, *cohort]),
        pd.DataFrame(skipped, columns=["scope", "section", "factor", "reason"]),
    )


def score_clusterings(scope: Scope, settings: Settings) -> Iterator[dict]:
    """Yield rows of scores of all clusterings of a section; keep the first seed's clusters in it.

    k-means has as many clusters as there are labels (`settings.clusters` without labels). Agreement
    with labels and array neighbours is scored for every seed. Compactness varies little between
    seeds and is scored only for the first one, on the first `settings.components` principal
    components (names ending in `_pcs`).
    """
    labels = scope.groups.get("label")
    codes = None if labels is None else pd.factorize(labels)[0]
    fixed = settings.fixed_resolution
    cuts = _leiden(scope.values, [fixed] if codes is None else settings.resolutions, settings)
    means = [_kmeans(scope, settings, seed) for seed in range(settings.seeds)]
    kinds = {"kmeans": (None, means), "leiden": (fixed, cuts[fixed])}
    if codes is not None:
        kinds["leiden_best"] = _best(cuts, codes)
    leading = scope.values[:, : settings.components]
    geometry = Geometry(leading, settings.silhouette_spots, seed=0)
    ties = Ties.of(scope.weights, scope.sections)
    for kind, (resolution, runs) in kinds.items():
        scope.first[kind] = runs[0]
        for seed, clusters in enumerate(runs):
            own = {
                "scope": scope.name,
                "section": scope.section,
                "centred": scope.centred,
                "clustering": kind,
                "seed": seed,
                "resolution": resolution,
                "clusters": len(np.unique(clusters)),
            }
            inner = list(neighbour_scores(ties, clusters))
            if seed == 0:
                inner += [(f"{name}_pcs", value) for name, value in geometry.scores(clusters)]
            for metric, value in inner:
                facts = {"factor": None, "metric": metric, "value": value}
                yield own | facts | {"spots": len(clusters)}
            if codes is not None:
                known = codes >= 0
                for metric, value in external_scores(codes[known], clusters[known]):
                    facts = {"factor": "label", "metric": metric, "value": value}
                    yield own | facts | {"spots": int(known.sum())}


def _first_clusters(scope: Scope, settings: Settings) -> None:
    """Store the first seed's clusters of a scope's spots in the scope."""
    graph = leiden_graph(fuzzy_graph(scope.values, settings.neighbours))
    scope.first["kmeans"] = _kmeans(scope, settings, seed=0)
    scope.first["leiden"] = leiden(graph, settings.fixed_resolution, seed=0)


def _kmeans(scope: Scope, settings: Settings, seed: int) -> np.ndarray:
    """Return k-means clusters (spots,): as many as labels, or else the config's number."""
    labels = scope.groups.get("label")
    k = settings.clusters if labels is None else len(set(labels) - {None})
    return kmeans(scope.values, k, settings.restarts, seed)


def _leiden(
    values: np.ndarray, resolutions: Sequence[float], settings: Settings
) -> dict[float, list[np.ndarray]]:
    """Return Leiden clusters (spots,) by resolution, including the fixed one, and seed."""
    graph = leiden_graph(fuzzy_graph(values, settings.neighbours))
    return {
        resolution: [leiden(graph, resolution, seed) for seed in range(settings.seeds)]
        for resolution in sorted({settings.fixed_resolution, *resolutions})
    }


def _best(
    cuts: Mapping[float, list[np.ndarray]], label: np.ndarray
) -> tuple[float, list[np.ndarray]]:
    """Return the resolution that agrees best with labels (mean over seeds), and its runs."""
    known = label >= 0
    agreement = {
        resolution: np.mean([adjusted_rand(label[known], run[known]) for run in runs])
        for resolution, runs in cuts.items()
    }
    best = max(agreement, key=agreement.__getitem__)
    return best, cuts[best]


def _clusters_table(
    representation: Representation, samples: np.ndarray, scopes: Sequence[Scope]
) -> pd.DataFrame:
    """Return one row per spot: position, label, and clusters from the first seed."""
    obs = representation.obs
    table = pd.DataFrame({"sample": samples, "spot": obs["spot"].astype(str).to_numpy()})
    table["x_pixels"], table["y_pixels"] = representation.spatial.T
    label = obs["label"] if "label" in obs else pd.Series(None, index=obs.index, dtype=object)
    table["label"] = label.astype(object).to_numpy()
    for scope in scopes:
        if scope.centred:
            continue
        rows = np.flatnonzero(samples == scope.section) if scope.section else np.arange(len(table))
        for kind, clusters in scope.first.items():
            name = f"{kind}_{scope.name}"
            if name not in table:
                table[name] = pd.array([pd.NA] * len(table), dtype="Int64")
            table.loc[rows, name] = clusters
    return table
