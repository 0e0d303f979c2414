"""Score an embedding computed elsewhere as the workflow scores its own, with baselines."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pandas as pd
from anndata import AnnData

from sagefm.annotation.by_patient import headline_score, patient_table
from sagefm.annotation.predict import AnnotationPlan, annotate_task
from sagefm.annotation.reference import CLASSIFIER, protocol_of
from sagefm.annotation.terms import HEADLINE
from sagefm.clustering.cluster import cluster_representation
from sagefm.clustering.scopes import Settings
from sagefm.clustering.tables import HEADLINE as SECTION_ARI
from sagefm.clustering.tables import clustering_summary, rows_of
from sagefm.common.errors import InputError
from sagefm.config.schemas import load_schema
from sagefm.exports.labelled import embedding_of, representation_of, spots_of
from sagefm.exports.prepared import Source, prepared_sections
from sagefm.networks.recipe import PAPER_PANEL, ModelRecipe
from sagefm.representations.files import Representation
from sagefm.representations.registry import load_method
from sagefm.representations.represent import represent_entry
from sagefm.sections.cohort import Cohort
from sagefm.sections.genes import read_panel

BASELINES = ("pca", "neighbour_mean", "niche_pca", "niche_channels", "hops", "depth")
"""Untrained representations that an embedding is compared with."""

INTEGRATION = ("total", "bio_conservation", "batch_correction", "bras", "ilisi", "cilisi", "clisi")
"""Integration metrics of the pooled sections, reported where they are defined."""

ARI = "ari_within_sections"
"""Name of the clustering metric in the table of scores."""


def score_embedding(
    adata: AnnData,
    obsm: str,
    label: str,
    *,
    patient: str | None = None,
    library_key: str | None = None,
    layer: str | None = None,
    min_overlap: float | None = None,
    baselines: Sequence[str] = BASELINES,
    seeds: int = 3,
    seed: int = 0,
) -> pd.DataFrame:
    """Score an embedding against labels and compare it with untrained baselines.

    Parameters
    ----------
    adata
        Sections with raw counts, `obsm["spatial"]` and, where known, `obs["array_row"]` and
        `obs["array_col"]`. Baselines are computed from the counts of the paper's genes.
    obsm
        Key of the embedding in `obsm`: (spots, features), dense or sparse.
    label
        Column of `obs` that names each spot's class. Spots without a class are not scored.
    patient
        Column of `obs` that names each spot's patient. If not given, each section counts as a
        patient.
    library_key
        Column of `obs` that names each spot's section.
    layer
        Layer that holds the raw counts. Default: `X`.
    min_overlap
        Minimum fraction of the paper's genes that must be found, 0 to 1. Default: the workflow's.
    baselines
        Names of the representation methods to compare with, from the registry.
    seeds
        Number of k-means seeds.
    seed
        Seed of the classifier and the baselines.

    Returns
    -------
    DataFrame
        representation (`obsm` first), metric, value, low and high (95% interval, Student's t over
        patients; missing for a pooled metric), n_patients (number of patients averaged), of (what
        was held out or clustered). Metrics: `patient_balanced_accuracy` of a logistic regression,
        `ari_within_sections` of k-means and, with two or more patients, integration metrics.

    Raises
    ------
    InputError
        If the embedding, a column or a baseline is missing, or the counts cannot be used.

    Examples
    --------
    >>> sagefm.embed(adata, model).obs["half"] = ["a" if row < 41 else "b" for row in range(82)]
    >>> table = sagefm.score_embedding(adata, "X_sagefm", "half", baselines=["pca"], min_overlap=0)
    >>> sorted(table["representation"].unique())
    ['X_sagefm', 'pca']
    """
    values = _values(adata, obsm)
    spots = spots_of(adata, label=label, patient=patient, library_key=library_key)
    source = Source(layer, library_key, None, min_overlap)
    settings = _settings(seeds)
    compared = [representation_of(obsm, values, spots)]
    compared += _baselines(adata, spots, source, baselines, seed)
    protocol = protocol_of(spots[spots["label"].notna()])
    plan = AnnotationPlan([protocol], [CLASSIFIER], seed=seed)
    rows, scores = [], []
    for one in compared:
        predictions, fits = annotate_task(one, spots, plan)
        if predictions.empty:
            raise InputError(
                f"no class can be predicted: {fits['skipped'].iloc[0]}. Fix: add labelled sections."
            )
        predictions = predictions.assign(representation=one.name)
        found = headline_score(patient_table(predictions, {}, settings.min_label_spots))
        rows.append(
            {
                "representation": one.name,
                "metric": HEADLINE,
                "value": found[HEADLINE],
                "low": found[f"{HEADLINE}_low"],
                "high": found[f"{HEADLINE}_high"],
                "n_patients": found["n_patients_counted"],
                "of": protocol,
            }
        )
        scores.append(cluster_representation(one, settings).scores)
    costs = pd.DataFrame({"representation": [one.name for one in compared]})
    table = pd.concat([pd.DataFrame(rows), _clustered(pd.concat(scores), costs)])
    order = {one.name: number for number, one in enumerate(compared)}
    return table.sort_values("representation", key=lambda own: own.map(order), kind="stable",
                             ignore_index=True)  # fmt: skip


def _values(adata: AnnData, obsm: str) -> np.ndarray:
    """Read the embedding: dense float32 (spots, features), finite."""
    values = embedding_of(adata, obsm, "correct `obsm`")
    if values.ndim != 2 or not values.shape[1] or not np.isfinite(values).all():
        raise InputError(
            f"obsm['{obsm}'] is not a finite table of spots by features. Fix: leave out spots that "
            "have no embedding."
        )
    return values


def _settings(seeds: int) -> Settings:
    """The workflow's default clustering settings, with another number of seeds."""
    keys = load_schema("config")["properties"]["clustering"]["properties"]
    known = {field.name: keys[field.name]["default"] for field in fields(Settings)}
    return Settings(**known | {"seeds": seeds, "factors": ["label", "patient"], "drop": []})


def _baselines(
    adata: AnnData, spots: pd.DataFrame, source: Source, names: Sequence[str], seed: int
) -> list[Representation]:
    """Compute baselines for the same spots on the paper's genes, as the workflow does."""
    recipe = ModelRecipe(read_panel(PAPER_PANEL))
    found = []
    with prepared_sections(adata, recipe, source) as sections:
        cohort = Cohort(
            tuple(section.counts_path for section, _ in sections),
            tuple(section.graph_path for section, _ in sections),
        )
        order = np.concatenate([rows for _, rows in sections])
        for name in names:
            own, facts = represent_entry(name, {}, cohort, seed)
            dense = own if isinstance(own, np.ndarray) else own.toarray()
            values = np.empty(dense.shape, dtype=np.float32)
            values[order] = dense
            found.append(
                representation_of(
                    name, values, spots,
                    transductive=facts["transductive"],
                    spatial=load_method(name).description.spatial,
                )
            )  # fmt: skip
    return found


def _clustered(scores: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Select the reported clustering scores, in the columns of `score_embedding`."""
    summary = clustering_summary(scores, costs)
    chosen = {ARI: SECTION_ARI}
    chosen |= {name: ("cohort", "integration", "label", name) for name in INTEGRATION}
    parts = []
    for metric, key in chosen.items():
        own = rows_of(summary, key)
        own = own[~own["centred"].astype(bool)]
        parts.append(
            pd.DataFrame(
                {
                    "representation": own["representation"],
                    "metric": metric,
                    "value": own["mean"],
                    "low": own["low"],
                    "high": own["high"],
                    "n_patients": own["n"].where(own["over"] == "patients"),
                    "of": key[0],
                }
            )
        )
    return pd.concat([part for part in parts if len(part)] or parts[:1])
