"""Artificial labels, representations and tables of a task."""

from functools import cache

import numpy as np
import pandas as pd

from sagefm.annotation.predict import AnnotationPlan, annotate_task
from sagefm.annotation.summary import summarise_task
from sagefm.representations.files import Representation

CLASSES = ("a", "b", "c")
PROTOCOLS = ["held_out_patients", "random_spots"]


def labels_of(patients: int = 4, spots: int = 30, seed: int = 0) -> pd.DataFrame:
    """Labels of a cohort with one sample per patient; every seventh spot is excluded."""
    rng = np.random.default_rng(seed)
    n = patients * spots
    table = pd.DataFrame(
        {
            "sample": np.repeat([f"s{i}" for i in range(patients)], spots),
            "patient": np.repeat([f"p{i}" for i in range(patients)], spots),
            "spot": [f"{i}x1" for i in range(n)],
            "x_pixels": np.arange(n) % spots * 10.0,
            "y_pixels": np.arange(n) // 6 * 10.0,
            "label": rng.choice(CLASSES, n, p=[0.5, 0.3, 0.2]),
        }
    )
    table.loc[::7, "label"] = None
    return table


def representation_of(labels: pd.DataFrame, name: str = "pca", noise: float = 1.0, seed: int = 0):
    """A representation from which the labels can be predicted, less well with more noise."""
    rng = np.random.default_rng(seed)
    number = labels["label"].map({name: i for i, name in enumerate(CLASSES)}).fillna(0)
    values = rng.normal(0, noise, (len(labels), 5)) + np.eye(5)[number.astype(int)]
    obs = labels[["sample", "patient", "spot"]].set_index(labels["sample"] + ":" + labels["spot"])
    spatial = labels[["x_pixels", "y_pixels"]].to_numpy()
    return Representation(name, values.astype(np.float32), obs, spatial, True, False)


def long_named(confusion: pd.DataFrame) -> pd.DataFrame:
    """Give two classes of a confusion table long names."""
    names = {"a": "Lymphocyte Positive Stroma", "b": "Lymphocyte Negative Stroma"}
    return confusion.replace({"truth": names, "predicted": names})


PLAN = AnnotationPlan(PROTOCOLS, ["logistic"], repeats=2)


@cache
def tables_like() -> dict[str, pd.DataFrame]:
    labels = labels_of()
    plan = AnnotationPlan(PLAN.protocols, ["logistic"], centred=[False, True], repeats=1)
    annotations = {
        name: annotate_task(representation_of(labels, name, noise, seed), labels, plan)
        for seed, (name, noise) in enumerate(
            {"pca": 1.0, "neighbour_mean": 2.0, "sagefm-m": 0.5}.items()
        )
    }
    rows = [
        {"cohort": "x", "sample": f"s{i}", "dataset": "d", "patient": f"p{i}"} for i in range(4)
    ]
    split = pd.DataFrame(
        {
            "cohort": ["y"],
            "sample": ["t"],
            "dataset": ["d"],
            "patient": ["p0"],
            "group": ["d:p0"],
            "part": ["train"],
        }
    )
    return summarise_task(
        labels, annotations, plan, min_class_spots=1, splits={"m": split}, rows=rows,
        costs=pd.DataFrame(columns=["representation"]), headline="sagefm-m",
    )  # fmt: skip
