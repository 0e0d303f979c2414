"""What clusters against labels have to say of the paper's claim 3."""

from collections.abc import Sequence

import pandas as pd

from sagefm.clustering.tables import lower_is_better
from sagefm.common.claim import Claim, judge
from sagefm.common.text import count, format_interval, format_number
from sagefm.representations.catalogue import REGISTERED, Catalogue

HEADLINE = ("section", "kmeans", "label", "ari")

SIDE = {
    ("section", "kmeans", "label", "nmi"): "NMI",
    ("section", "leiden", "label", "ari"): "ARI of Leiden",
    ("section", "kmeans", None, "silhouette_pcs"): "silhouette of clusters",
    ("section", "kmeans", None, "davies_bouldin_pcs"): "Davies-Bouldin",
    ("section", "kmeans", None, "neighbour_excess"): "spatial coherence of clusters",
    ("cohort", "none", "label", "group_silhouette"): "silhouette of labels",
    ("cohort", "none", "label", "purity"): "purity of labels",
    ("cohort", "none", "label", "purity_across"): "purity of labels across patients",
}
"""Metrics beside the headline, by scope, clustering, factor and metric, as they are (uncentred)."""


def clustering_claims(
    model: str,
    models: Sequence[str],
    cohort: str,
    title: str,
    summary: pd.DataFrame,
    comparisons: pd.DataFrame,
    paper_data: bool,
    seen: str,
    catalogue: Catalogue = REGISTERED,
) -> list[Claim]:
    """Claim 3: k-means clusters of the headline model against labels, within a section.

    Parameters
    ----------
    model, models
        The headline model, and all models of the run: the best of them is named.
    cohort, title
        The cohort, and what it is, for people.
    summary, comparisons
        Of `clustering_tables`.
    paper_data, seen
        Whether the cohort is the paper's own; `patients.patients_seen`.
    catalogue
        What the representations are called, and which of them are references.
    """
    name, evidence = f"sagefm-{model}", f"clustering/{cohort}/summary.tsv"
    scores = _pick(summary, HEADLINE).set_index("representation")
    references = [r for r in catalogue.references() if r in scores.index]
    if name not in scores.index or not references:
        missing = "no section has labels to score" if name not in scores.index else "no reference"
        return [Claim("clustering", "-", "-", "-", "not computed", missing, evidence)]
    own = scores.loc[name]
    pairs = _pick(comparisons, HEADLINE)
    pairs = pairs[pairs["representation"] == name].set_index("reference")
    instead = f"computed on {title}, not on the paper's samples"
    verdict = judge(_verdict(pairs, catalogue), paper_data, instead)
    facts = [
        verdict["reason"],
        *(_difference(pairs.loc[r], catalogue.title(r)) for r in references),
    ]
    facts.append(f"smallest p possible {format_number(pairs['smallest_p'].min(), '.2g')}")
    facts += _beside(summary, name, references[0], catalogue)
    facts.append(_best(scores, models, references, catalogue))
    return [
        Claim(
            "clustering",
            obtained=f"mean ARI {format_interval(own['mean'], own['low'], own['high'], '.3f')} "
            "(k-means within a section)",
            baseline=", ".join(
                f"{catalogue.title(r)} {scores.loc[r, 'mean']:.3f}" for r in references
            ),
            n=f"{count(own['n'], 'patient')}, {count(own['n_sections'], 'section')}, "
            f"{count(own['spots'], 'labelled spot')}, {count(own['seeds'], 'seed')}, {seen}",
            verdict=verdict["verdict"],
            outcome=verdict["outcome"],
            reason="; ".join(facts),
            evidence=evidence,
            protocol="k-means within a section, as many clusters as labels; adjusted Rand index, "
            "mean over patients",
        )
    ]


def _verdict(pairs: pd.DataFrame, catalogue: Catalogue) -> tuple[str, str]:
    baselines = [name for name in catalogue.baselines() if name in pairs.index]
    if not baselines:
        return "inconclusive", f"{catalogue.titles(catalogue.baselines())} was not run"
    named = catalogue.titles(baselines)
    difference, certain = pairs["difference"], pairs["p_holm_own"] < 0.05
    if worse := [name for name in baselines if difference[name] < 0 and certain[name]]:
        return "contradicted", f"worse than {catalogue.titles(worse)}"
    if (difference > 0).all() and certain.all():
        return "supported", f"better than {named} and all other references"
    patients = pairs["n"].max()
    if pairs["smallest_p"].min() * len(pairs) >= 0.05:
        return "inconclusive", f"no difference can be beyond doubt with {patients} patients"
    if (difference[baselines] > 0).all():
        return "inconclusive", f"above {named}, but not beyond doubt above all references"
    return "inconclusive", f"not above {named}, but not beyond doubt below it either"


def _pick(table: pd.DataFrame, key: tuple[str, str, str | None, str]) -> pd.DataFrame:
    """Rows of one scope, clustering, factor and metric, as they are (uncentred)."""
    scope, clustering, factor, metric = key
    of_factor = table["factor"].isna() if factor is None else table["factor"] == factor
    same = (table["scope"] == scope) & (table["clustering"] == clustering)
    return table[same & of_factor & (table["metric"] == metric) & ~table["centred"]]


def _difference(pair: pd.Series, title: str) -> str:
    return (
        f"{format_number(pair['difference'], '+.3f')} to {title} (better in "
        f"{pair['better_in']:.0f} of {pair['n']} patients, sign-flip p "
        f"{format_number(pair['p'], '.3f')}, Holm {format_number(pair['p_holm_own'], '.3f')})"
    )


def _beside(summary: pd.DataFrame, name: str, reference: str, catalogue: Catalogue) -> list[str]:
    """Which of the other metrics the model wins and loses against one reference, on the mean."""
    won: list[str] = []
    lost: list[str] = []
    for key, words in SIDE.items():
        means = _pick(summary, key).set_index("representation")["mean"]
        if {name, reference} <= set(means.index) and means[name] != means[reference]:
            higher = means[name] > means[reference]
            (won if higher != lower_is_better(*key[-2:]) else lost).append(words)
    other = catalogue.title(reference)
    return [
        f"on the mean, untested, {how} than {other} in {', '.join(words)}"
        for words, how in ((won, "better"), (lost, "worse"))
        if words
    ]


def _best(
    scores: pd.DataFrame, models: Sequence[str], references: Sequence[str], catalogue: Catalogue
) -> str:
    means = scores["mean"]
    recipe = means[[f"sagefm-{m}" for m in models if f"sagefm-{m}" in means.index]].idxmax()
    first = means.idxmax()
    beaten = [catalogue.title(r) for r in references if means[recipe] > means[r]]
    above = f"above {', '.join(beaten)}" if beaten else "above none of the references"
    best = f"; the best of all is {catalogue.title(first)} ({means[first]:.3f})"
    whole = "" if first == recipe else best
    found = f"{recipe.removeprefix('sagefm-')} ({means[recipe]:.3f})"
    return f"best recipe on the mean {found}, {above}{whole}"
