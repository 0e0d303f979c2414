"""Linear embeddings tried as alternatives to the light model after it was chosen; none was better.

Each recipe changes one thing in the light model's. It is fitted to the sections that the model was
trained on. It is scored on patients A to F of the labelled sections and on the hearts; patients G
and H are excluded from every score. Methods without training are included for comparison, each
fitted to the sections that it is scored on. From the repository, after the run of
`config/light.yaml`:

    python workflow/bench/exploration.py results/light

writes `exploration.tsv` to the run's folder.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from bench.linear_recipes import RECIPES, Spots, embeddings, read_spots
from sagefm.annotation.by_patient import headline_score, patient_table
from sagefm.annotation.predict import AnnotationPlan, annotate_task
from sagefm.annotation.terms import HEADLINE
from sagefm.clustering.graph import kmeans, rotate
from sagefm.clustering.integration import integration_scores
from sagefm.clustering.metrics import adjusted_rand
from sagefm.common.io import write_table
from sagefm.representations.files import Representation
from sagefm.representations.represent import represent_entry

CHOSEN_ON = tuple(f"her2st-{letter}" for letter in "ABCDEF")
NO_CLASS = ("undetermined", "whole heart")
CANCER = ("invasive cancer", "cancer in situ")
REST = ("adipose tissue", "breast glands", "connective tissue", "immune infiltrate")
MERGED = dict.fromkeys(CANCER, "cancer") | dict.fromkeys(REST, "rest")
UNTRAINED = {"BANKSY": "banksy", "niche, absolute and relative": "niche_channels"}
UNTRAINED |= {"NichePCA": "niche_pca", "PCA": "pca", "PCA over 0 to 3 rings": "hops"}
DOMINANT = 0.75
"""A class dominates a section if it has at least this share of the labelled spots."""
FEWEST, FEWEST_IN_TASK, SEEDS, RESTARTS, AXES = 5, 20, 5, 3, 20
"""The schema's defaults for the same settings, except that k-means has half as many seeds."""


def class_scores(
    spots: Representation, merged: dict[str, str] | None = None
) -> tuple[float, float]:
    """Return balanced accuracy and AUROC of the labels: means over held-out patients."""
    obs = spots.obs
    label = obs["label"].astype(object).where(~obs["label"].isin(NO_CLASS), np.nan)
    label = label.map(merged) if merged else label
    label = label.where(label.map(label.value_counts()) >= FEWEST_IN_TASK, np.nan)
    table = obs[["sample", "spot", "patient"]].astype(str).assign(label=label)
    table[["x_pixels", "y_pixels"]] = spots.spatial
    plan = AnnotationPlan(protocols=["held_out_patients"], classifiers=["logistic"])
    predictions, _ = annotate_task(spots, table, plan)
    predictions["representation"] = spots.name
    headline = headline_score(patient_table(predictions, {}, FEWEST))[HEADLINE]
    aurocs = predictions.groupby("patient").apply(_auroc, include_groups=False)
    return float(headline), float(aurocs.mean())


def _auroc(predictions: pd.DataFrame) -> float:
    """Mean over classes of a patient's one-v-rest AUROC; NaN if the patient has one class only."""
    columns = [name for name in predictions if name.startswith("p_")]
    found = []
    for column in columns:
        own = predictions["truth"] == column.removeprefix("p_")
        if FEWEST <= own.sum() <= len(own) - FEWEST:
            found.append(roc_auc_score(own, predictions[column]))
    return float(np.mean(found)) if found else np.nan


def cluster_scores(spots: Representation) -> dict[str, float]:
    """Return the ARI of k-means within sections: means over patients.

    `ari` covers all sections, `ari_mixed` and `ari_dominated` those without and with a dominant
    class. A patient is included if at least one of its sections is scored.
    """
    rows = []
    for _, own in spots.obs.reset_index(drop=True).groupby("sample", observed=True):
        label = own["label"].astype(object).where(~own["label"].isin(NO_CLASS), np.nan)
        sizes = label.value_counts()
        known = label.isin(sizes.index[sizes >= FEWEST]).to_numpy()
        classes = pd.factorize(label[known])[0]
        values = rotate(spots.values[own.index])
        found = [kmeans(values, classes.max() + 1, RESTARTS, seed)[known] for seed in range(SEEDS)]
        ari = np.mean([adjusted_rand(classes, clusters) for clusters in found])
        largest = np.bincount(classes).max() / len(classes)
        rows.append((own["patient"].iloc[0], ari, largest >= DOMINANT))
    table = pd.DataFrame(rows, columns=["patient", "ari", "dominated"])

    def mean(part: pd.DataFrame) -> float:
        return float(part.groupby("patient", observed=True)["ari"].mean().mean())

    return {
        "ari": mean(table),
        "ari_mixed": mean(table[~table["dominated"]]),
        "ari_dominated": mean(table[table["dominated"]]),
    }


def scores(name: str, breast: Spots, of_breast: np.ndarray, atlas: Spots, of_atlas: np.ndarray):
    """Return a row of the table: scores of the embeddings on the data open to design choices."""

    def part(spots: Spots, values: np.ndarray, rows: np.ndarray) -> Representation:
        return Representation(name, values[rows], spots.obs[rows], spots.spatial[rows], True, True)

    chosen = part(breast, of_breast, breast.obs["patient"].isin(CHOSEN_ON).to_numpy())
    hearts = part(atlas, of_atlas, atlas.obs["label"].notna().to_numpy())
    pathology, tumour = class_scores(chosen), class_scores(chosen, MERGED)
    known = ~chosen.obs["label"].isin(NO_CLASS).to_numpy()
    values, obs = rotate(chosen.values)[known, :AXES], chosen.obs[known]
    labels, patients = (
        np.unique(obs[column].to_numpy(dtype=str), return_inverse=True)[1]
        for column in ("label", "patient")
    )
    mixing = integration_scores(values, labels, patients, seed=0)
    return {
        "recipe": name,
        "pathology": pathology[0],
        "pathology_auroc": pathology[1],
        "tumour": tumour[0],
        "tumour_auroc": tumour[1],
        **cluster_scores(chosen),
        "bras": mixing["bras"],
        "cilisi": mixing["cilisi"],
        "heart_regions": class_scores(hearts)[0],
        "heart_ari": cluster_scores(hearts)["ari"],
    }


if __name__ == "__main__":
    run = Path(sys.argv[1])
    atlas, breast = read_spots(run, "atlas"), read_spots(run, "breast")
    rows = []
    for name, recipe in RECIPES.items():
        of_breast, of_atlas = embeddings(atlas, [breast, atlas], recipe)
        rows.append(scores(name, breast, of_breast, atlas, of_atlas) | {"kind": "recipe"})
        print(pd.Series(rows[-1]).to_frame().T.to_string(header=len(rows) == 1), flush=True)
    for name, method in UNTRAINED.items():
        both = [
            represent_entry(method, {"method": method}, spots.cohort, 0)[0]
            for spots in (breast, atlas)
        ]
        rows.append(scores(name, breast, both[0], atlas, both[1]) | {"kind": "untrained"})
        print(pd.Series(rows[-1]).to_frame().T.to_string(header=False), flush=True)
    write_table(pd.DataFrame(rows), run / "exploration.tsv")
