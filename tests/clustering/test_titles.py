"""Titles of clustering figures state what the tables hold, whatever the result."""

import numpy as np
import pandas as pd
import pytest

from sagefm.clustering.tables import HEADLINE
from sagefm.clustering.titles import (
    batch_against_biology,
    best_agreement,
    clusters_agree,
    nearest_alike,
    ranged,
)
from sagefm.representations.catalogue import Catalogue

CATALOGUE = Catalogue(
    {
        "mofa": {"title": "MOFA", "role": "baseline"},
        "pca": {"title": "PCA", "role": "untrained"},
        "depth": {"title": "depth alone", "role": "control"},
        "labels": {"title": "the labels", "role": "ceiling"},
    }
)


def summary(key=HEADLINE, centred=False, **means: float) -> pd.DataFrame:
    table = pd.DataFrame({"representation": [*means], "mean": [*means.values()]})
    return table.assign(**dict(zip(("scope", "clustering", "factor", "metric"), key, strict=True)),
                        centred=centred)  # fmt: skip


@pytest.mark.parametrize(
    ("means", "words"),
    [
        (
            {"mofa": 0.3, "sagefm-paper": 0.2, "sagefm-light": 0.25, "depth": 0.1, "labels": 1.0},
            "MOFA 0.30; of the models, sagefm-light 0.25; of the controls, depth alone 0.10",
        ),
        ({"sagefm-paper": 0.4, "mofa": 0.3}, "sagefm-paper 0.40; of the other methods, MOFA 0.30"),
        ({"mofa": 0.3, "sagefm-paper": np.nan}, "MOFA 0.30"),
    ],
)
def test_the_best_method_is_named_beside_the_best_model_and_control(means, words):
    names = {name: CATALOGUE.title(name) for name in means}
    for name in ("sagefm-paper", "sagefm-light"):
        words = words.replace(name, names.get(name, name))
    found = best_agreement(summary(**means), CATALOGUE)
    assert found == f"Highest ARI within a section: {words}"


def test_bounds_alone_are_no_methods():
    means = summary(labels=1.0, depth=0.2)
    assert best_agreement(means, CATALOGUE) == "No method could be scored against labels"


def purity(factor: str, centred=False, **means: float) -> pd.DataFrame:
    return summary(("cohort", "none", factor, "purity"), centred, **means)


def test_methods_are_counted_whose_neighbours_share_the_patient_more():
    table = pd.concat(
        [
            purity("patient", mofa=0.5, pca=0.9, depth=0.9),
            purity("label", mofa=0.5, pca=0.2, depth=0.1),
        ]
    )
    first = "Neighbours share the patient more often than the label: 1 of 2 methods"
    assert batch_against_biology(table, "label", CATALOGUE) == first  # equal is not more
    centred = pd.concat([table, purity("patient", True, pca=0.1), purity("label", True, pca=0.2)])
    assert batch_against_biology(centred, "label", CATALOGUE) == f"{first}; centred, 0 of 1"
    none = batch_against_biology(purity("patient", mofa=0.5), "label", CATALOGUE)
    assert none.startswith("No method has neighbours scored")


def test_shares_are_ranged_and_the_model_is_named_once():
    shares = {"sagefm-paper": 0.5, "mofa": 0.4, "pca": 0.6}
    model = CATALOGUE.title("sagefm-paper")
    assert ranged(shares, CATALOGUE) == "40% in MOFA to 60% in PCA"
    assert clusters_agree(shares, CATALOGUE).endswith(
        f": 40% in MOFA to 60% in PCA; 50% in {model}"
    )
    assert clusters_agree({"mofa": 0.4}, CATALOGUE).endswith("label: 40% in MOFA")
    lowest = clusters_agree(shares | {"sagefm-paper": 0.1}, CATALOGUE)
    assert lowest.endswith(f"label: 10% in {model} to 60% in PCA")


def layout(patients: list[str | None], labels: list[str | None]) -> pd.DataFrame:
    """Two pairs of spots that lie close to each other."""
    at = {"umap_1": [0.0, 0.1, 5.0, 5.1], "umap_2": 0.0}
    return pd.DataFrame({"representation": "pca", **at, "patient": patients, "label": labels})


@pytest.mark.parametrize(
    ("patients", "labels", "words"),
    [
        ("AABB", "xxxx", "Nearest spot on the map of the same patient: 100% in PCA; 50% by chance"),
        ("ABAB", "xxxx", "Nearest spot on the map of the same patient: 0% in PCA; 50% by chance"),
        ("AAAA", "xxyy", "Nearest spot on the map of the same label: 100% in PCA; 50% by chance"),
        ("AAAA", [None] * 4, "UMAP of spots of one patient, without labels"),
    ],
)
def test_the_map_is_read_by_the_nearest_spot(patients, labels, words):
    assert nearest_alike(layout([*patients], [*labels]), CATALOGUE) == words
