"""Scores of clusterings over patients and seeds: means with intervals, paired differences.

Sections of one patient resemble each other, so they are averaged and patients are the units.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sagefm.common.errors import InputError
from sagefm.stats.paired import holm_within, paired_difference, t_interval

BATCH = ("patient", "sample")
"""Factors that a representation should not show; all others are biology."""

LOW_METRICS = ("davies_bouldin", "davies_bouldin_pcs")


def lower_is_better(factor: object, metric: str) -> bool:
    """Return whether a lower score is better: for batch factors and for Davies-Bouldin.

    `factor` is missing (None or NaN) for metrics without known groups.
    """
    return factor in BATCH or metric in LOW_METRICS


KEYS = ["scope", "centred", "clustering", "factor", "metric"]

Key = tuple[str, str, str | None, str]
"""Scope, clustering, factor (None: no known groups) and metric of a score."""

HEADLINE: Key = ("section", "kmeans", "label", "ari")
"""Score by which claim 3 is judged."""


def rows_of(table: pd.DataFrame, key: Key) -> pd.DataFrame:
    """Select rows of one score in a summary or in comparisons, with and without centring."""
    scope, clustering, factor, metric = key
    of_factor = table["factor"].isna() if factor is None else table["factor"] == factor
    same = (table["scope"] == scope) & (table["clustering"] == clustering)
    return table[same & of_factor & (table["metric"] == metric)]


def scored_rows(summary: pd.DataFrame, key: Key, centred: bool) -> pd.DataFrame:
    """Select rows of one score in a summary that have a mean, centred or not, by representation."""
    own = rows_of(summary, key)
    own = own[(own["centred"].astype(bool) == centred) & own["mean"].notna()]
    return own.set_index("representation")


FACTS = ["transductive", "spatial"]


def clustering_summary(scores: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Average every score, with a 95% t interval over patients and its spread over seeds.

    If sections have their own values, a patient's value is the mean over its sections, each
    averaged over seeds. The pooled cohort has one value per seed and no interval, as it is one
    cohort.

    Parameters
    ----------
    scores
        Scores from `cluster.cluster_representation` for all representations of a cohort.
    costs
        Costs of each representation: representation, seconds, peak_mib, training_seconds.

    Returns
    -------
    DataFrame
        Columns scope, centred, clustering, factor, metric, representation, over (`patients` or
        `seeds`), mean, low, high (over patients; NaN for fewer than two and for the pooled cohort),
        n (patients or seeds), n_sections (0 for the pooled cohort), spots, seeds, seed_sd,
        seed_low, seed_high (standard deviation, minimum and maximum over seeds of the mean over
        patients; NaN for a single seed), transductive, spatial, seconds, peak_mib,
        training_seconds.

    Raises
    ------
    InputError
        If representations were not scored on the same sections and spots.
    """
    keys = [*KEYS, "representation"]
    by_patient = _by_section(scores).groupby([*keys, "patient"], dropna=False, sort=False)
    patients = by_patient.agg(
        value=("value", "mean"),
        n_sections=("section", "size"),
        spots=("spots", "sum"),
        most=("spots", "max"),
    ).reset_index()
    pooled = scores[_pooled(scores)]
    pooled = pooled.assign(over="seeds", n_sections=0, most=pooled["spots"])
    values = pd.concat([patients.assign(over="patients"), pooled], ignore_index=True)
    table = (
        values.groupby([*keys, "over"], dropna=False, sort=False)
        .agg(
            mean=("value", "mean"),
            low=("value", lambda own: t_interval(own.to_numpy())[1]),
            high=("value", lambda own: t_interval(own.to_numpy())[2]),
            n=("value", "size"),
            n_sections=("n_sections", "sum"),
            spots=("spots", "sum"),
            most=("most", "max"),
        )
        .reset_index()
    )
    of_cohort = table["over"] == "seeds"
    table.loc[of_cohort, ["low", "high"]] = np.nan
    one_table = of_cohort | (table["clustering"] == "none")
    table["spots"] = table.pop("most").where(one_table, table["spots"])
    _require_same_spots(table)
    table = table.merge(_over_seeds(scores), on=keys, how="left")
    facts = scores.drop_duplicates("representation")[["representation", *FACTS]]
    return table.merge(facts, on="representation").merge(costs, on="representation", how="left")


def clustering_comparisons(scores: pd.DataFrame, references: Sequence[str]) -> pd.DataFrame:
    """Compute paired differences over patients between each representation and its references.

    A patient's difference is the mean over sections on which both were scored.

    Parameters
    ----------
    scores
        As in `clustering_summary`.
    references
        Result of `Catalogue.references`; those that were not scored are left out.

    Returns
    -------
    DataFrame
        Columns scope, centred, clustering, factor, metric, representation, reference, difference
        (mean over patients, seeds averaged), low, high (95% t interval), better_in (patients in
        which the representation is better: lower for batch factors and Davies-Bouldin), n
        (patients), n_sections, p (sign-flip test), smallest_p (attainable with this number of
        patients), p_holm (Holm over all comparisons of the metric), p_holm_own (Holm over the
        representation's own comparisons), transductive and reference_transductive (whether each was
        fitted on these spots).
    """
    rows = []
    for key, group in _by_section(scores).groupby(KEYS, dropna=False, sort=False):
        wide = group.pivot(index=["patient", "section"], columns="representation", values="value")
        for name in wide:
            for reference in references:
                if reference in wide and reference != name:
                    sections = (wide[name] - wide[reference]).dropna()
                    patients = sections.groupby("patient").mean().to_numpy()
                    pair = {"representation": name, "reference": reference}
                    facts = paired_difference(patients, lower_is_better(*key[-2:]))
                    facts |= {"n_sections": len(sections)}
                    rows.append(dict(zip(KEYS, key, strict=True)) | pair | facts)
    columns = [*KEYS, "representation", "reference", "difference", "low", "high", "better_in"]
    fitted = scores.drop_duplicates("representation").set_index("representation")["transductive"]
    table = pd.DataFrame(rows, columns=[*columns, "n", "n_sections", "p", "smallest_p"])
    for column, family in (("p_holm", KEYS), ("p_holm_own", [*KEYS, "representation"])):
        table[column] = holm_within(table, family)
    table["transductive"] = table["representation"].map(fitted)
    table["reference_transductive"] = table["reference"].map(fitted)
    return table


def skipped_table(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """List scores that could not be computed, with reasons, once for all representations."""
    return pd.concat(tables, ignore_index=True).drop_duplicates(ignore_index=True)


def _over_seeds(scores: pd.DataFrame) -> pd.DataFrame:
    """Return each score's number of seeds, and the spread over seeds of its mean over patients."""
    keys = [*KEYS, "representation"]
    means = scores
    for finer in (["seed", "patient", "section"], ["seed", "patient"], ["seed"]):
        groups = means.groupby([*keys, *finer], dropna=False, sort=False)
        means = groups["value"].mean().reset_index()
    groups = means.groupby(keys, dropna=False, sort=False)["value"]
    table = groups.agg(seeds="size", seed_sd="std", seed_low="min", seed_high="max").reset_index()
    spread = ["seed_low", "seed_high"]
    table[spread] = table[spread].where(table["seeds"] > 1)
    return table


def _pooled(scores: pd.DataFrame) -> pd.Series:
    """Mark metrics of the whole cohort, which have no value per section."""
    return (scores["scope"] == "cohort") & (scores["clustering"] != "none")


def _by_section(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one value per section: the mean over seeds."""
    keys = [*KEYS, "representation", "patient", "section"]
    groups = scores[~_pooled(scores)].groupby(keys, dropna=False, sort=False)
    return groups.agg(value=("value", "mean"), spots=("spots", "first")).reset_index()


def _require_same_spots(table: pd.DataFrame) -> None:
    external = table[table["factor"].notna()]
    differing = external.groupby(KEYS, dropna=False)["spots"].nunique() > 1
    if differing.any():
        raise InputError(
            "representations of one cohort were scored on different spots. Fix: remove their "
            "files in `clustering` and run again."
        )
