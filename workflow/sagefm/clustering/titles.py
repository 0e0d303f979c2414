"""What the figures of clustering show, in a sentence: their titles."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from sagefm.clustering.tables import HEADLINE, Key, scored_rows
from sagefm.representations.catalogue import Catalogue, is_model
from sagefm.representations.titles import best_and_rest, controls_of, methods_of

TOTAL: Key = ("cohort", "integration", "label", "total")


def leaders(summary: pd.DataFrame, catalogue: Catalogue) -> str:
    """Which method is first by the total and by ARI within a section, and the best control's.

    Parameters
    ----------
    summary
        Of `tables.clustering_summary`.
    catalogue
        Names and roles of the representations.
    """
    found: dict[str, list[str]] = {}
    for key, words in ((TOTAL, "scIB total"), (HEADLINE, "ARI within a section")):
        means = scored_rows(summary, key, False)["mean"]
        methods, controls = methods_of(means, catalogue), controls_of(means, catalogue)
        if len(methods):
            said = f"{methods.max():.2f}"
            if len(controls):
                said += f"; {catalogue.title(str(controls.idxmax()))} {controls.max():.2f}"
            leader = found.setdefault(catalogue.title(str(methods.idxmax())), [])
            leader.append(f"the highest {words} ({said})")
    words = "; ".join(f"{name} has {' and '.join(said)}" for name, said in found.items())
    return f"Not centred: {words}" if summary["centred"].astype(bool).any() else words


def best_agreement(summary: pd.DataFrame, catalogue: Catalogue) -> str:
    """Which method agrees best with the labels; beside it the best model, or other, and control.

    Parameters
    ----------
    summary
        Of `tables.clustering_summary`.
    catalogue
        Names and roles of the representations.
    """
    means = scored_rows(summary, HEADLINE, False)["mean"]
    if methods_of(means, catalogue).empty:
        return "No method could be scored against labels"
    return best_and_rest(means, "ARI within a section", catalogue)


def batch_against_biology(summary: pd.DataFrame, factor: str, catalogue: Catalogue) -> str:
    """In how many methods neighbours share the patient more often than they share their kind.

    Both are purities corrected for chance, so that they compare.

    Parameters
    ----------
    summary
        Of `tables.clustering_summary`.
    factor
        What is biology: label, organ, ...
    catalogue
        Roles of the representations.
    """
    found = []
    for centred in (False, True):
        batch, biology = (
            methods_of(
                scored_rows(summary, ("cohort", "none", what, "purity"), centred)["mean"], catalogue
            )
            for what in ("patient", factor)
        )
        both = pd.concat([batch, biology], axis=1, keys=["batch", "biology"]).dropna()
        found.append(f"{(both['batch'] > both['biology']).sum()} of {len(both)}" * bool(len(both)))
    if not found[0]:
        return "No method has neighbours scored by both patient and biology"
    more = f"; centred, {found[1]}" * bool(found[1])
    kind = factor.replace("_", " ")
    return f"Neighbours share the patient more often than the {kind}: {found[0]} methods{more}"


def ranged(shares: Mapping[str, float], catalogue: Catalogue) -> str:
    """Shares from the lowest to the highest, with whose they are: `25% in MOFA to 99% in PCA`.

    Parameters
    ----------
    shares
        By representation, 0 to 1; at least one.
    catalogue
        Names of the representations.
    """
    low, high = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
    words = [f"{shares[name]:.0%} in {catalogue.title(name)}" for name in (low, high)]
    return words[0] if low == high else " to ".join(words)


def clusters_agree(shares: Mapping[str, float], catalogue: Catalogue) -> str:
    """At what share of the spots drawn the matched clusters agree with the labels.

    Parameters
    ----------
    shares
        By representation, 0 to 1, in the order drawn.
    catalogue
        Names of the representations.
    """
    words = f"Spots whose matched cluster agrees with the label: {ranged(shares, catalogue)}"
    first = next((name for name in shares if is_model(name)), None)
    if first is None or catalogue.title(first) in words:
        return words
    return f"{words}; {shares[first]:.0%} in {catalogue.title(first)}"


def nearest_alike(table: pd.DataFrame, catalogue: Catalogue) -> str:
    """At what share of spots the nearest on the map is of the same patient, and by chance.

    By label where all spots are of one patient.

    Parameters
    ----------
    table
        Of `umap.umap_table`.
    catalogue
        Names of the representations.
    """
    factors = [name for name in ("patient", "label") if table[name].dropna().nunique() > 1]
    if not factors:
        return "UMAP of spots of one patient, without labels"
    known = table.dropna(subset=factors[0])
    shares = {}
    for name, own in known.groupby("representation", sort=False):
        at, of = own[["umap_1", "umap_2"]].to_numpy(), own[factors[0]].astype(str).to_numpy()
        nearest = cKDTree(at).query(at, k=2)[1][:, 1]
        shares[str(name)] = float(np.mean(of[nearest] == of))
    first = known[known["representation"] == known["representation"].iloc[0]]
    chance = float((first[factors[0]].value_counts(normalize=True) ** 2).sum())
    return (
        f"Nearest spot on the map of the same {factors[0]}: {ranged(shares, catalogue)}; "
        f"{chance:.0%} by chance"
    )
