"""Heterogeneity that a representation preserves, without any clustering: biology and batch.

Known groups are held against the geometry itself: how apart they lie, and how often a spot's
nearest neighbours are of its own group. For biology more is better; for patients and samples, less.
"""

import numpy as np
import pandas as pd
from sklearn.metrics import silhouette_samples
from sklearn.neighbors import NearestNeighbors

from sagefm.clustering.graph import nearest_spots
from sagefm.clustering.metrics import subsample


def heterogeneity_scores(
    values: np.ndarray,
    groups: np.ndarray,
    samples: np.ndarray,
    patients: np.ndarray | None,
    neighbours: int,
    spots: int,
    seed: int,
) -> pd.DataFrame:
    """Silhouette and neighbour purity of known groups, a value a section: the mean of its spots.

    Parameters
    ----------
    values
        (spots, features), those of spots with a known group.
    groups, samples
        (spots,) each: int from 0, and names of sections.
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
        section, metric, value. Purity is (share - chance) / (1 - chance), share and chance means
        over the section's spots: 0 in every section if spots lay anywhere, whatever groups it has;
        1 if all neighbours are of the spot's group. It is not defined, and left out, where chance
        is 1.
    """
    columns = {"purity": _by_section(*neighbour_shares(values, groups, neighbours), samples)}
    if patients is not None and len(np.unique(patients)) >= 2:
        across = neighbour_shares(values, groups, neighbours, patients)
        columns["purity_across"] = _by_section(*across, samples)
    drawn = subsample(len(values), spots, seed)
    if len(np.unique(groups[drawn])) >= 2:
        silhouettes = pd.Series(silhouette_samples(values[drawn], groups[drawn]))
        columns["group_silhouette"] = silhouettes.groupby(samples[drawn]).mean()
    table = pd.DataFrame(columns).rename_axis("section").reset_index()
    return table.melt("section", var_name="metric", value_name="value").dropna(subset="value")


def _by_section(shares: np.ndarray, chances: np.ndarray, samples: np.ndarray) -> pd.Series:
    """Purity of each section, in excess of what its own groups would have by chance."""
    means = pd.DataFrame({"share": shares, "chance": chances}).groupby(samples).mean()
    room = 1 - means["chance"]
    return (means["share"] - means["chance"]) / room.where(room > 1e-12)


def neighbour_shares(
    values: np.ndarray, groups: np.ndarray, neighbours: int, patients: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Share of each spot's nearest others, and of all others, that are of its group: (spots,) each.

    The second is what the first would be by chance.

    Parameters
    ----------
    values, groups
        (spots, features), and int (spots,).
    neighbours
        Others looked at, fewer where there are fewer.
    patients
        (spots,): if given, only spots of other patients are others.
    """
    sizes = np.bincount(groups).astype(float)
    if patients is None:
        near = nearest_spots(values, neighbours + 1)[1][:, 1:]
        shares = (groups[near] == groups[:, None]).mean(axis=1)
        return shares, (sizes[groups] - 1) / (len(groups) - 1)
    shares, chances = np.empty(len(values)), np.empty(len(values))
    for patient in np.unique(patients):
        own = patients == patient
        k = min(neighbours, int((~own).sum()))
        index = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(values[~own])
        near = index.kneighbors(values[own], return_distance=False)
        shares[own] = (groups[~own][near] == groups[own][:, None]).mean(axis=1)
        others = np.bincount(groups[~own], minlength=len(sizes)) / (~own).sum()
        chances[own] = others[groups[own]]
    return shares, chances
