"""Heterogeneity that a representation preserves, without any clustering: biology and batch.

Known groups are held against the geometry itself: how apart they lie, and how often a spot's
nearest neighbours are of its own group. For biology more is better; for patients and samples, less.
"""

import numpy as np
import pandas as pd
from sklearn.metrics import silhouette_samples
from sklearn.neighbors import NearestNeighbors

from sagefm.cluster_graph import nearest_spots
from sagefm.cluster_metrics import chance_share, draw


def heterogeneity_scores(
    values: np.ndarray,
    groups: np.ndarray,
    samples: np.ndarray,
    patients: np.ndarray | None,
    neighbours: int,
    spots: int,
    seed: int,
) -> pd.DataFrame:
    """Silhouette and neighbour purity of known groups, each the mean over a sample's spots.

    Parameters
    ----------
    values
        (spots, features), those of spots with a known group.
    groups, samples
        (spots,) each.
    patients
        (spots,), for the purity among spots of other patients (`purity_across`), which no batch
        effect can raise; None leaves it out.
    neighbours
        Nearest other spots looked at.
    spots, seed
        Most spots whose silhouette is computed, drawn at random.

    Returns
    -------
    DataFrame
        section, metric, value. Purity is (share - chance) / (1 - chance): 0 as if spots lay
        anywhere, 1 if all neighbours are of the spot's group.
    """
    columns = {"purity": purity(values, groups, neighbours, None)}
    if patients is not None and len(np.unique(patients)) >= 2:
        columns["purity_across"] = purity(values, groups, neighbours, patients)
    drawn = draw(len(values), spots, seed)
    if len(np.unique(groups[drawn])) >= 2:
        silhouettes = np.full(len(values), np.nan)
        silhouettes[drawn] = silhouette_samples(values[drawn], groups[drawn])
        columns["group_silhouette"] = silhouettes
    table = pd.DataFrame(columns).groupby(samples).mean()
    table = table.rename_axis("section").reset_index()
    return table.melt("section", var_name="metric", value_name="value").dropna(subset="value")


def purity(
    values: np.ndarray, groups: np.ndarray, neighbours: int, patients: np.ndarray | None = None
) -> np.ndarray:
    """Share of each spot's nearest others that are of its group, corrected for chance: (spots,).

    Parameters
    ----------
    values, groups
        (spots, features) and (spots,).
    neighbours
        Others looked at, fewer where there are fewer.
    patients
        (spots,): if given, only spots of other patients are neighbours.
    """
    if patients is None:
        near = nearest_spots(values, neighbours + 1)[1][:, 1:]
        shares = (groups[near] == groups[:, None]).mean(axis=1)
        chance = chance_share(groups)
    else:
        shares, chance = np.empty(len(values)), _chance_across(groups, patients)
        for patient in np.unique(patients):
            own = patients == patient
            k = min(neighbours, int((~own).sum()))
            index = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(values[~own])
            near = index.kneighbors(values[own], return_distance=False)
            shares[own] = (groups[~own][near] == groups[own][:, None]).mean(axis=1)
    return (shares - chance) / (1 - chance) if chance < 1 else np.zeros(len(values))


def _chance_across(groups: np.ndarray, patients: np.ndarray) -> float:
    """Probability that a spot and one drawn from the other patients are of one group."""
    counts = pd.crosstab(patients, groups).to_numpy(dtype=float)
    others = counts.sum(axis=0) - counts
    share = others / np.maximum(others.sum(axis=1, keepdims=True), 1)
    return float(np.sum(counts * share) / counts.sum())
