"""The title of the figure of coherence: what the table holds, whatever it is."""

import numpy as np
import pandas as pd
import pytest

from sagefm.representations.catalogue import Catalogue
from sagefm.representations.titles import most_coherent

CATALOGUE = Catalogue(
    {
        "pca": {"title": "PCA", "role": "untrained"},
        "sagefm-a": {"title": "A"},
        "sagefm-b": {"title": "B"},
        "depth": {"title": "depth alone", "role": "control"},
        "labels": {"title": "the labels", "role": "ceiling"},
    }
)


def coherence(**means: float) -> pd.DataFrame:
    """Two samples of each representation, 0.1 apart."""
    rows = [
        {"representation": name.replace("_", "-"), "sample": sample, "mean_moran_i": mean + shift}
        for name, mean in means.items()
        for sample, shift in (("S1", -0.05), ("S2", 0.05))
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("means", "words"),
    [
        (
            {"pca": 0.3, "sagefm_a": 0.1, "sagefm_b": 0.2, "depth": 0.6, "labels": 0.9},
            "PCA 0.30; of the models, B 0.20; of the controls, depth alone 0.60",
        ),
        ({"pca": 0.3, "sagefm_a": 0.4}, "A 0.40; of the other methods, PCA 0.30"),
        ({"pca": 0.3, "sagefm_a": np.nan}, "PCA 0.30"),
        ({"pca": -0.2}, "PCA −0.20"),
    ],
)
def test_the_highest_mean_is_named_beside_the_best_model_and_control(means, words):
    expected = f"Highest mean Moran's I: {words}"
    assert most_coherent(coherence(**means), CATALOGUE) == expected


def test_bounds_alone_are_no_methods():
    title = most_coherent(coherence(depth=0.1, labels=0.9), CATALOGUE)
    assert title == "No method has a spatial coherence that could be measured"
