"""Clusterings of a representation and their scores: within each section, and of a whole cohort.

k-means has as many clusters as there are groups to be found; Leiden is cut at a fixed resolution
and at the one that agrees best with the labels. That best one uses the answer: it is an oracle,
an upper bound of what choosing a resolution can bring.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from sagefm.clustering.graph import fuzzy_graph, leiden, leiden_graph
from sagefm.clustering.heterogeneity import heterogeneity_scores
from sagefm.clustering.metrics import Geometry, external_scores, neighbour_scores
from sagefm.clustering.scopes import Scope, Settings, absent_labels, cohort_scopes, section_scopes
from sagefm.clustering.tables import BATCH
from sagefm.representations.files import Representation


@dataclass(frozen=True)
class Result:
    """Tables of one representation.

    scores
        One row a value: scope (`section` or `cohort`), section and its patient, centred, clustering
        (`kmeans`, `leiden`, `leiden_best`; `none` where groups are held against the geometry
        itself), factor, metric, seed, value, clusters, resolution, spots; and representation,
        transductive, spatial.
    clusters
        One row a spot: sample, spot, x_pixels, y_pixels, label, and its cluster of the first seed
        by each scope and clustering, as it is (not centred).
    skipped
        What could not be scored, and why: scope, section, factor, reason.
    """

    scores: pd.DataFrame
    clusters: pd.DataFrame
    skipped: pd.DataFrame


def cluster_representation(representation: Representation, settings: Settings) -> Result:
    """Cluster a representation within sections and pooled, and score it.

    Centring takes out the mean of a sample, and so changes nothing within one: only the pooled
    cohort is scored both as it is and centred. Where `values` are sparse, the pooled cohort is that
    of their leading `sparse_components` principal components, a section still exact.
    """
    obs = representation.obs
    skipped = absent_labels(obs, settings.drop)
    samples = obs["sample"].astype(str).to_numpy()
    scopes = [
        *section_scopes(representation, samples, settings, skipped),
        *cohort_scopes(representation, samples, settings, skipped),
    ]
    rows = [row for scope in scopes for row in score_clusterings(scope, settings)]
    tables = [pd.DataFrame(rows)]
    patients = obs["patient"].astype(str).to_numpy()
    tables += [
        _heterogeneity(scope, patients, settings) for scope in scopes if scope.name == "cohort"
    ]
    scores = pd.concat([table for table in tables if len(table)], ignore_index=True)
    scores.insert(0, "representation", representation.name)
    scores["patient"] = scores["section"].map(dict(zip(samples, patients, strict=True)))
    scores["transductive"] = representation.transductive
    scores["spatial"] = representation.spatial_method
    return Result(
        scores,
        _clusters_table(representation, samples, scopes),
        pd.DataFrame(skipped, columns=["scope", "section", "factor", "reason"]),
    )


def score_clusterings(scope: Scope, settings: Settings) -> Iterator[dict]:
    """Rows of scores of all clusterings of a scope; the first seed's clusters are kept in it.

    A factor is held against k-means with as many clusters as it has groups; all else against that
    with as many as there are labels (`settings.clusters` where there are none). Metrics ending in
    `_pcs` are on the first `settings.components` principal components only.
    """
    codes = {factor: pd.factorize(groups)[0] for factor, groups in scope.groups.items()}
    ks = {factor: groups.max() + 1 for factor, groups in codes.items()}
    label = codes.get("label")
    own = ks.get("label", settings.clusters)
    kmeans = {k: _kmeans(scope.values, k, settings) for k in sorted({own, *ks.values()})}
    fixed = settings.fixed_resolution
    cuts = _leiden(scope.values, [fixed] if label is None else settings.resolutions, settings)
    kinds = {"kmeans": (None, kmeans[own]), "leiden": (fixed, cuts[fixed])}
    if label is not None:
        kinds["leiden_best"] = _best(cuts, label)
    whole, first = (
        Geometry(values, settings.silhouette_spots, seed=0)
        for values in (scope.values, scope.values[:, : settings.components])
    )
    for kind, (resolution, runs) in kinds.items():
        scope.first[kind] = runs[0]
        for seed, clusters in enumerate(runs):
            row = {"clustering": kind, "seed": seed, "resolution": resolution}
            inner = [
                *whole.scores(clusters),
                *((f"{metric}_pcs", value) for metric, value in first.scores(clusters)),
                *neighbour_scores(scope.weights, clusters, scope.sections),
            ]
            for metric, value in inner:
                yield row | _row(scope, clusters, None, metric, value, len(clusters))
            for factor, groups in codes.items():
                found = kmeans[ks[factor]][seed] if kind == "kmeans" else clusters
                known = groups >= 0
                for metric, value in external_scores(groups[known], found[known]):
                    yield row | _row(scope, found, factor, metric, value, int(known.sum()))


def _row(
    scope: Scope, clusters: np.ndarray, factor: str | None, metric: str, value: float, spots: int
) -> dict:
    return {
        "scope": scope.name,
        "section": scope.section,
        "centred": scope.centred,
        "factor": factor,
        "metric": metric,
        "value": float(value),
        "clusters": len(np.unique(clusters)),
        "spots": spots,
    }


def _kmeans(values: np.ndarray, k: int, settings: Settings) -> list[np.ndarray]:
    """k-means clusters (spots,) by seed, each the best of several starts."""
    return [
        KMeans(min(k, len(values)), n_init=settings.restarts, random_state=seed).fit_predict(values)
        for seed in range(settings.seeds)
    ]


def _leiden(
    values: np.ndarray, resolutions: Sequence[float], settings: Settings
) -> dict[float, list[np.ndarray]]:
    """Leiden clusters (spots,) by resolution, the fixed one among them, and seed."""
    graph = leiden_graph(fuzzy_graph(values, settings.neighbours))
    return {
        resolution: [leiden(graph, resolution, seed) for seed in range(settings.seeds)]
        for resolution in sorted({settings.fixed_resolution, *resolutions})
    }


def _best(
    cuts: Mapping[float, list[np.ndarray]], label: np.ndarray
) -> tuple[float, list[np.ndarray]]:
    """The resolution, and its clusters, that agree best with the labels on the mean over seeds."""
    known = label >= 0
    agreement = {
        resolution: np.mean([adjusted_rand_score(label[known], run[known]) for run in runs])
        for resolution, runs in cuts.items()
    }
    best = max(agreement, key=agreement.__getitem__)
    return best, cuts[best]


def _heterogeneity(scope: Scope, patients: np.ndarray, settings: Settings) -> pd.DataFrame:
    """Scores of the known groups in a cohort's geometry, one row a section, metric and factor."""
    tables = []
    for factor, groups in scope.groups.items():
        known = pd.notna(groups)
        table = heterogeneity_scores(
            scope.values[known, : settings.components],
            pd.factorize(groups[known])[0],
            scope.sections[known],
            None if factor in BATCH else patients[known],
            settings.neighbours,
            settings.silhouette_spots,
            seed=0,
        )
        tables.append(table.assign(factor=factor, spots=int(known.sum())))
    if not tables:
        return pd.DataFrame()
    facts = {"scope": "cohort", "centred": scope.centred, "clustering": "none", "seed": 0}
    return pd.concat(tables, ignore_index=True).assign(**facts)


def _clusters_table(
    representation: Representation, samples: np.ndarray, scopes: Sequence[Scope]
) -> pd.DataFrame:
    """One row a spot: where it is, what it is, and its clusters of the first seed."""
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
