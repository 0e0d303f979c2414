"""Units of clustering: the spots of a section or a cohort, with their known groups."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import scipy.sparse as sp

from sagefm.clustering.graph import reduce, rotate
from sagefm.graphs.neighbourhoods import neighbour_weights
from sagefm.representations.files import Representation, centre


@dataclass(frozen=True)
class Settings:
    """The config's block `clustering`; the schema explains its keys.

    It applies to all cohorts: each label in `drop` is left out in any cohort that has it.
    """

    factors: Sequence[str]
    drop: Sequence[str]
    min_label_spots: int
    seeds: int
    restarts: int
    clusters: int
    resolutions: Sequence[float]
    fixed_resolution: float
    neighbours: int
    components: int
    sparse_components: int
    silhouette_spots: int
    integration_spots: int


@dataclass
class Scope:
    """Spots that are clustered together: one section or a cohort.

    `values` is float64 (spots, axes), rotated to the principal axes. `groups` holds the scored
    factors, each (spots,) with None for spots that are not scored. `weights` connects array
    neighbours.
    """

    name: str
    section: str | None
    values: np.ndarray
    groups: Mapping[str, np.ndarray]
    weights: sp.csr_matrix
    sections: np.ndarray
    centred: bool = False
    first: dict[str, np.ndarray] = field(default_factory=dict)
    """Clusters (spots,) of the first seed, by clustering; filled by `score_clusterings`."""


def absent_labels(obs: pd.DataFrame, drop: Sequence[str]) -> list[dict]:
    """Return rows of the skipped table for labels to drop that these spots do not have.

    This is not an error, because another cohort may have them, but it may be a typing error.
    """
    found = set(obs["label"].dropna()) if "label" in obs else set()
    where = {"scope": "cohort", "section": None, "factor": "label"}
    absent = [label for label in drop if label not in found]
    return [where | {"reason": f"`{label}`, to be dropped, does not occur"} for label in absent]


def scored_groups(
    obs: pd.DataFrame, factors: Sequence[str], settings: Settings, where: Mapping, skipped: list
) -> dict[str, np.ndarray]:
    """Return the factors of some spots that can be scored; add reasons for the others to `skipped`.

    Labels that the config drops, or with too few spots, are not scored. A factor with one value is
    not informative. A factor that groups spots like an earlier one would be scored twice.
    """
    found: dict[str, np.ndarray] = {}
    for factor in factors:
        reason, groups = None, np.full(len(obs), None, dtype=object)
        if factor in obs:
            groups = obs[factor].astype(object).where(obs[factor].notna(), None).to_numpy()
        if factor == "label":
            sizes = pd.Series(groups).value_counts()
            rare = sizes.index[sizes < settings.min_label_spots]
            left_out = np.isin(groups.astype(str), [*settings.drop, *rare])
            groups = np.where(left_out, np.array(None), groups)
        values = set(groups) - {None}
        same = [name for name, other in found.items() if _same_partition(groups, other)]
        if not values:
            reason = "no spot has a value"
        elif len(values) == 1:
            reason = f"one value only ({min(values)})"
        elif same:
            reason = f"groups the spots as {same[0]} does"
        if reason:
            skipped.append({**where, "factor": factor, "reason": reason})
        else:
            found[factor] = groups
    return found


def _same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    pairs = pd.DataFrame({"one": one, "other": other}).drop_duplicates()
    return not pairs["one"].duplicated().any() and not pairs["other"].duplicated().any()


def section_scopes(
    representation: Representation, samples: np.ndarray, settings: Settings, skipped: list
) -> Iterator[Scope]:
    """Yield each section with enough spots; labels are the only factor that varies within it."""
    for section in pd.unique(samples):
        inside = samples == section
        where = {"scope": "section", "section": section}
        values = representation.values[inside]
        if inside.sum() <= max(settings.clusters, settings.neighbours):
            skipped.append({**where, "factor": None, "reason": f"{inside.sum()} spots only"})
            continue
        coordinates = rotate(values.toarray() if sp.issparse(values) else values)
        if not coordinates.any():
            skipped.append({**where, "factor": None, "reason": "all spots are alike"})
            continue
        obs = representation.obs[inside]
        yield Scope(
            "section",
            section,
            coordinates,
            scored_groups(obs, ["label"], settings, where, skipped),
            neighbour_weights(representation.spatial[inside]),
            samples[inside],
        )


def cohort_scopes(
    representation: Representation, samples: np.ndarray, settings: Settings, skipped: list
) -> list[Scope]:
    """Return the pooled cohort without and with centring; nothing if it is a single section."""
    sections = list(pd.unique(samples))
    where = {"scope": "cohort", "section": None}
    if len(sections) == 1:
        skipped.append({**where, "factor": None, "reason": "the cohort is a single section"})
        return []
    groups = scored_groups(representation.obs, settings.factors, settings, where, skipped)
    weights = sp.block_diag(
        [neighbour_weights(representation.spatial[samples == section]) for section in sections],
        format="csr",
    )
    values = representation.values
    if sp.issparse(values):
        values = reduce(values, settings.sparse_components, seed=0)
    whole = Scope("cohort", None, rotate(values), groups, weights, samples)
    moved = replace(whole, values=rotate(centre(values, samples)), centred=True, first={})
    return [whole, moved]
