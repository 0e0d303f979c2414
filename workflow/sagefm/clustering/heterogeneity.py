"""Heterogeneity preserved by a representation, measured without clustering: biology and batch.

Known groups are compared with the geometry itself: how far apart they are, and how often a spot's
nearest neighbours belong to its own group. For biology, more is better; for patients and samples,
less is better.
"""

from functools import cached_property

import numpy as np
import pandas as pd
from sklearn.metrics import silhouette_samples
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import NearestNeighbors

from sagefm.clustering.graph import nearest_spots
from sagefm.clustering.metrics import subsample
from sagefm.clustering.scopes import Scope, Settings
from sagefm.clustering.tables import BATCH


class Surroundings:
    """Coordinates of spots, with distances and neighbours shared by the scores of all groupings.

    Parameters
    ----------
    values
        (spots, features).
    samples, patients
        (spots,) section and patient of each spot.
    neighbours
        Number of nearest other spots, limited to those available.
    spots, seed
        Maximum number of spots for the silhouette, drawn at random, because its cost grows with
        their square.
    """

    def __init__(
        self,
        values: np.ndarray,
        samples: np.ndarray,
        patients: np.ndarray,
        neighbours: int,
        spots: int,
        seed: int,
    ) -> None:
        self.values, self.samples, self.patients = values, samples, patients
        self.neighbours = neighbours
        self.drawn = subsample(len(values), spots, seed)

    @cached_property
    def near(self) -> np.ndarray:
        """Nearest other spots: int (spots, neighbours)."""
        return nearest_spots(self.values, self.neighbours + 1)[1][:, 1:]

    @cached_property
    def near_across(self) -> dict[str, np.ndarray]:
        """Nearest spots of other patients, by patient: int (spots of the patient, neighbours)."""
        found = {}
        for patient in np.unique(self.patients):
            others = np.flatnonzero(self.patients != patient)
            k = min(self.neighbours, len(others))
            index = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(self.values[others])
            own = self.values[self.patients == patient]
            found[patient] = others[index.kneighbors(own, return_distance=False)]
        return found

    @cached_property
    def distances(self) -> np.ndarray:
        """Distances between the drawn spots: float64 (drawn, drawn)."""
        distances = euclidean_distances(self.values[self.drawn])
        np.fill_diagonal(distances, 0)
        return distances

    def shares(self, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return shares of a spot's group in its nearest others and in all others: (spots,) each.

        The second is the value of the first expected by chance. `groups` is int (spots,).
        """
        sizes = np.bincount(groups).astype(float)
        shares = (groups[self.near] == groups[:, None]).mean(axis=1)
        return shares, (sizes[groups] - 1) / (len(groups) - 1)

    def shares_across(self, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the same as `shares`, counting only spots of other patients as others."""
        shares, chances = np.empty(len(groups)), np.empty(len(groups))
        whole = np.bincount(groups).astype(float)
        for patient, near in self.near_across.items():
            own = self.patients == patient
            shares[own] = (groups[near] == groups[own][:, None]).mean(axis=1)
            others = whole - np.bincount(groups[own], minlength=len(whole))
            chances[own] = others[groups[own]] / others.sum()
        return shares, chances

    def scores(self, groups: np.ndarray, across: bool) -> pd.DataFrame:
        """Return silhouette and neighbour purity of known groups, as means over a section's spots.

        Parameters
        ----------
        groups
            int (spots,), from 0.
        across
            Whether to add the purity among spots of other patients (`purity_across`), which batch
            effects cannot increase.

        Returns
        -------
        DataFrame
            Columns section, metric, value. Purity is (share - chance) / (1 - chance), with means
            over the section's spots. It is 0 for random positions, whatever groups a section has,
            and 1 if all neighbours are in the spot's group. It is undefined, and left out, if
            chance is 1.
        """
        columns = {"purity": _by_section(*self.shares(groups), self.samples)}
        if across and len(np.unique(self.patients)) >= 2:
            columns["purity_across"] = _by_section(*self.shares_across(groups), self.samples)
        drawn = groups[self.drawn]
        if 2 <= len(np.unique(drawn)) < len(drawn):
            widths = silhouette_samples(self.distances, drawn, metric="precomputed")
            own = pd.Series(widths).groupby(self.samples[self.drawn]).mean()
            columns["group_silhouette"] = own
        table = pd.DataFrame(columns).rename_axis("section").reset_index()
        return table.melt("section", var_name="metric", value_name="value").dropna(subset="value")


def cohort_heterogeneity(scope: Scope, patients: np.ndarray, settings: Settings) -> pd.DataFrame:
    """Score the known groups in a cohort's geometry: one row per section, metric and factor.

    Uses its first `settings.components` principal components. Factors known for the same spots
    share neighbours.
    """
    shared: dict[bytes, Surroundings] = {}
    tables = []
    for factor, groups in scope.groups.items():
        known = pd.notna(groups)
        key = known.tobytes()
        if key not in shared:
            shared[key] = Surroundings(
                scope.values[known, : settings.components],
                scope.sections[known],
                patients[known],
                settings.neighbours,
                settings.silhouette_spots,
                seed=0,
            )
        table = shared[key].scores(pd.factorize(groups[known])[0], across=factor not in BATCH)
        tables.append(table.assign(factor=factor, spots=int(known.sum())))
    if not tables:
        return pd.DataFrame()
    facts = {"scope": "cohort", "centred": scope.centred, "clustering": "none", "seed": 0}
    return pd.concat(tables, ignore_index=True).assign(**facts)


def _by_section(shares: np.ndarray, chances: np.ndarray, samples: np.ndarray) -> pd.Series:
    """Return the purity of each section, as excess over the chance level of its own groups."""
    means = pd.DataFrame({"share": shares, "chance": chances}).groupby(samples).mean()
    room = 1 - means["chance"]
    return (means["share"] - means["chance"]) / room.where(room > 1e-12)
