"""Artificial scores of clusterings."""

import numpy as np
import pandas as pd

from sagefm.clustering.scopes import Settings

SETTINGS = Settings(
    factors=["label", "organ", "disease_state", "patient", "sample"],
    drop=["undetermined", "elsewhere"],
    min_label_spots=3,
    seeds=2,
    restarts=1,
    clusters=4,
    resolutions=[0.3, 1.5],
    fixed_resolution=1.0,
    neighbours=6,
    components=3,
    sparse_components=50,
    silhouette_spots=500,
    integration_spots=400,
)


SECTIONS = list("ABCDEFGH")


MEANS = {"sagefm-paper": 0.5, "sagefm-wide": 0.6, "mofa": 0.3, "pca": 0.2, "neighbour_mean": 0.55}


COSTS = pd.DataFrame(
    {"representation": list(MEANS), "seconds": 3.0, "peak_mib": 200.0, "training_seconds": np.nan}
)


def with_more(summary: pd.DataFrame, number: int) -> pd.DataFrame:
    """Add representations with long names to a summary, each scored as the paper's model."""
    paper = summary[summary["representation"] == "sagefm-paper"]
    names = [f"untrained SAGE-FM (spots of {i})" for i in range(number)]
    return pd.concat([summary, *(paper.assign(representation=name) for name in names)])


def rows(name, values, metric="ari", clustering="kmeans", factor="label", scope="section", **more):
    """Two rows per section, one for each seed; the second value is slightly higher."""
    facts = {"representation": name, "scope": scope, "centred": False, "clustering": clustering,
             "factor": factor, "metric": metric, "transductive": name == "mofa",
             "spatial": name != "pca", "spots": 100, "clusters": 5, "resolution": None}  # fmt: skip
    return [
        facts
        | {
            "section": section,
            "patient": f"of {section}",
            "seed": seed,
            "value": value + 0.01 * seed,
        }
        | more
        for section, value in zip(SECTIONS, values, strict=False)
        for seed in (0, 1)
    ]


def scores_like() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    found = []
    for name, mean in MEANS.items():
        near = mean + 0.02 * rng.normal(size=8)
        found += rows(name, near)
        found += rows(name, 1 - near, metric="davies_bouldin_pcs", factor=None)
        found += rows(name, [mean], "ari", "integration", scope="cohort", section=None,
                      patient=None, spots=800)  # fmt: skip
        for factor in ("label", "patient"):
            for metric in ("purity", "group_silhouette"):
                for centred in (False, True):
                    found += [
                        row for row in rows(name, near, metric, "none", factor, "cohort",
                                            spots=800, centred=centred)
                        if row["seed"] == 0
                    ]  # fmt: skip
    return pd.DataFrame(found)
