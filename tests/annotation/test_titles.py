"""Titles of annotation figures state what the tables hold, whatever the result."""

import numpy as np
import pandas as pd
import pytest

from sagefm.annotation.terms import HEADLINE, KEYS
from sagefm.annotation.titles import accuracies, classes_led, highest_mean, recall_range
from sagefm.representations.catalogue import Catalogue

CATALOGUE = Catalogue(
    {
        "pca": {"title": "PCA", "role": "untrained"},
        "labels": {"title": "the labels", "role": "ceiling"},
        "sagefm-m": {"title": "SAGE-FM", "role": "other"},
    }
)
SAME = {"centred": False, "classifier": "logistic", "protocol": "held_out_patients"}
SHOWN = pd.DataFrame(
    [
        {"role": "headline", "representation": "sagefm-m", **SAME},
        {"role": "best", "representation": "pca", **SAME | {"centred": True}},
    ]
)


def scores(**means: float) -> pd.DataFrame:
    table = pd.DataFrame({"representation": [*means], HEADLINE: [*means.values()]})
    return table.assign(**SAME, subset="all")


@pytest.mark.parametrize(
    ("means", "words"),
    [
        (
            {"pca": 0.6, "sagefm-m": 0.5, "labels": 1.0, "majority": 0.3},
            "Highest balanced accuracy, unseen: PCA 60%; of the models, SAGE-FM 50%; "
            "majority class 30%",
        ),
        (
            {"pca": 0.4, "sagefm-m": 0.5, "majority": 0.3},
            "Highest balanced accuracy, unseen: SAGE-FM 50%; majority class 30%",
        ),
        (
            {"pca": 0.4, "sagefm-m": np.nan},
            "Highest balanced accuracy, unseen: PCA 40%; majority class too few to tell",
        ),
        ({"pca": np.nan, "labels": 1.0}, "No method could be scored"),
    ],
)
def test_the_best_method_is_named_beside_the_best_model(means, words):
    """By the first classifier, which the figure draws."""
    first = scores(**means)
    second = first.assign(classifier="knn", **{HEADLINE: 0.9})
    for table in (first, pd.concat([first, second[second["representation"] != "majority"]])):
        assert highest_mean(table, "unseen", CATALOGUE) == words


def confusion(*counts: tuple[str, str, int]) -> pd.DataFrame:
    table = pd.DataFrame(counts, columns=["truth", "predicted", "n_spots"])
    return table.assign(**{key: SHOWN[key].iloc[0] for key in KEYS})


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (
            [("a", "a", 3), ("a", "b", 1), ("b", "a", 2)],
            "Recall of SAGE-FM: highest for a (75%), lowest for b (0%)",
        ),
        ([("a", "a", 1), ("b", "b", 2)], "Recall of SAGE-FM: 100% in every class"),
        ([("a", "b", 1)], "Recall of SAGE-FM: 0% in every class"),
    ],
)
def test_the_best_and_the_worst_class_are_named(counts, words):
    assert recall_range(confusion(*counts), SHOWN, CATALOGUE) == words


def test_a_class_that_two_find_equally_well_counts_for_nobody():
    recall = {"sagefm-m": [0.5, 0.2, 0.0], "pca": [0.4, 0.2, 0.0]}
    classes = pd.concat(
        SHOWN[SHOWN["representation"] == name][KEYS].merge(
            pd.DataFrame({"class": [*"abc"], "recall": own}), how="cross"
        )
        for name, own in recall.items()
    )
    title = "Highest recall, of 3 classes: SAGE-FM in 1, PCA, centred in 0"
    assert classes_led(classes, SHOWN, CATALOGUE) == title


def test_spots_without_a_label_or_a_prediction_do_not_count():
    maps = pd.DataFrame(
        {"label": ["a", "a", "b", None], "headline": ["a", "b", None, "a"], "best": None}
    )
    both = "Accuracy in these sections: SAGE-FM 50%, PCA, centred too few to tell"
    assert accuracies(maps, SHOWN, CATALOGUE) == both
    assert accuracies(maps.drop(columns="best"), SHOWN, CATALOGUE).endswith(": SAGE-FM 50%")
