"""Scores of clusterings over sections and seeds: means with intervals, paired differences."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from sagefm.errors import InputError
from sagefm.signflip import holm, sign_flip

REFERENCES = ("mofa", "pca", "neighbour_mean")
"""Representations that all others are held against."""
LOWER_IS_BETTER = ("davies_bouldin", "davies_bouldin_pcs")
KEYS = ["scope", "centred", "clustering", "factor", "metric"]
FACTS = ["transductive", "spatial"]


def summary_table(scores: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Mean and 95 % interval (Student's t) of every score.

    Over sections, each the mean of its seeds, where sections are scored apart; a clustering of the
    pooled cohort has one value a seed, and its interval says only how much the seed matters.

    Parameters
    ----------
    scores
        Of `clustering.cluster_representation`, all representations of a cohort.
    costs
        representation, seconds, peak_mb, training_seconds: what each took to compute.

    Returns
    -------
    DataFrame
        scope, centred, clustering, factor, metric, representation, mean, low, high (NaN for a
        single value), over (`sections` or `seeds`), n (of these), seeds, sections, spots,
        transductive, spatial, seconds, peak_mb, training_seconds.

    Raises
    ------
    InputError
        If representations were not scored on the same sections and spots.
    """
    by_section = _by_section(scores)
    pooled = scores[_pooled(scores)].assign(over="seeds")
    values = pd.concat([by_section.assign(over="sections"), pooled], ignore_index=True)
    groups = values.groupby([*KEYS, "representation"], dropna=False, sort=False)
    table = groups.agg(
        mean=("value", "mean"),
        sd=("value", "std"),
        over=("over", "first"),
        n=("value", "size"),
        sections=("section", "nunique"),
        spots=("spots", "sum"),
    ).reset_index()
    one_table = (table["over"] == "seeds") | (table["clustering"] == "none")
    most = groups["spots"].max().to_numpy()
    table["spots"] = np.where(one_table, most, table["spots"]).astype(int)
    _require_same_spots(table)
    # n - 1 of a single value is 0, for which t is not defined: no interval.
    half = stats.t.ppf(0.975, table["n"] - 1) * table.pop("sd") / np.sqrt(table["n"])
    table.insert(table.columns.get_loc("mean") + 1, "low", table["mean"] - half)
    table.insert(table.columns.get_loc("mean") + 2, "high", table["mean"] + half)
    table["seeds"] = np.where(table["clustering"] == "none", 1, scores["seed"].nunique())
    facts = scores.drop_duplicates("representation")[["representation", *FACTS]]
    return table.merge(facts, on="representation").merge(costs, on="representation", how="left")


def comparison_table(scores: pd.DataFrame, references: Sequence[str] = REFERENCES) -> pd.DataFrame:
    """Paired differences over sections of each representation and the references it is held to.

    Returns
    -------
    DataFrame
        scope, centred, clustering, factor, metric, representation, reference, difference (mean over
        sections, seeds averaged), low, high (95 %, Student's t), better_in (sections in which the
        representation is the better one), n (sections), p (sign-flip test), p_holm (Holm over all
        comparisons of the metric) and p_holm_own (over the representation's own ones).
    """
    rows = []
    for key, group in _by_section(scores).groupby(KEYS, dropna=False, sort=False):
        wide = group.pivot(index="section", columns="representation", values="value")
        for name in wide:
            for reference in references:
                if reference in wide and reference != name:
                    difference = (wide[name] - wide[reference]).dropna().to_numpy()
                    pair = {"representation": name, "reference": reference}
                    facts = _difference(difference, key[-1] in LOWER_IS_BETTER)
                    rows.append(dict(zip(KEYS, key, strict=True)) | pair | facts)
    columns = [*KEYS, "representation", "reference", "difference", "low", "high", "better_in"]
    table = pd.DataFrame(rows, columns=[*columns, "n", "p"])
    for column, family in (("p_holm", KEYS), ("p_holm_own", [*KEYS, "representation"])):
        groups = table.groupby(family, dropna=False)["p"]
        table[column] = groups.transform(lambda p: holm(p.to_numpy()))
    return table


def _difference(difference: np.ndarray, lower_is_better: bool) -> dict:
    n = len(difference)
    if not n:
        return {"n": 0}
    mean, half = difference.mean(), np.nan
    if n > 1:
        half = stats.t.ppf(0.975, n - 1) * stats.sem(difference)
    better = difference < 0 if lower_is_better else difference > 0
    return {
        "difference": mean,
        "low": mean - half,
        "high": mean + half,
        "better_in": int(better.sum()),
        "n": n,
        "p": sign_flip(difference),
    }


def skipped_table(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """What could not be scored, and why; the same for all representations, named once."""
    return pd.concat(tables, ignore_index=True).drop_duplicates(ignore_index=True)


def _pooled(scores: pd.DataFrame) -> pd.Series:
    """Clusterings of the whole cohort, which have no value of a section."""
    return (scores["scope"] == "cohort") & (scores["clustering"] != "none")


def _by_section(scores: pd.DataFrame) -> pd.DataFrame:
    """One value a section: the mean over seeds."""
    keys = [*KEYS, "representation", "section"]
    groups = scores[~_pooled(scores)].groupby(keys, dropna=False, sort=False)
    return groups.agg(value=("value", "mean"), spots=("spots", "first")).reset_index()


def _require_same_spots(table: pd.DataFrame) -> None:
    external = table[table["factor"].notna()]
    differing = external.groupby(KEYS, dropna=False)["spots"].nunique() > 1
    if differing.any():
        raise InputError(
            "representations of one cohort were scored on different spots; remove their files in "
            "`clustering` and run again."
        )
