"""Verdict on the paper's claim 3, from the agreement of clusters with labels."""

from collections.abc import Sequence

import pandas as pd

from sagefm.clustering.tables import HEADLINE, Key, lower_is_better, rows_of
from sagefm.common.claim import Claim, Glance, Subject
from sagefm.common.text import count, format_interval, format_number
from sagefm.common.verdict import Evidence
from sagefm.representations.catalogue import REGISTERED, Catalogue
from sagefm.representations.references import differences_of, lacking

NAMED = ("baseline", "spatial method")
"""Roles of the methods that the paper claims to exceed: MOFA, and spatial methods."""

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
"""Metrics reported with the headline, by scope, clustering, factor and metric; not centred."""


def clustering_claim(
    subject: Subject,
    models: Sequence[str],
    summary: pd.DataFrame,
    comparisons: pd.DataFrame,
    catalogue: Catalogue = REGISTERED,
) -> Claim:
    """Judge claim 3: k-means clusters of a model's embedding against labels, within a section.

    The model must exceed MOFA, the spatial methods, the untrained representations and the controls
    in the adjusted Rand index averaged over patients.

    Parameters
    ----------
    subject
        Model and cohort.
    models
        All models of the run, of which the best is named.
    summary, comparisons
        Tables of clusterings, from `tables`.
    catalogue
        Titles and roles of the representations.
    """
    name, evidence = subject.representation, f"clustering/{subject.name}/summary.tsv"
    scores = _pick(summary, HEADLINE).set_index("representation")
    references = [r for r in catalogue.references() if r in scores.index]
    if name not in scores.index or not references:
        missing = "no section has labels to score"
        if name in scores.index:
            missing = "nothing to compare with was computed"
        return Claim("clustering", subject.model, "-", "-", "-", "not computed", missing, evidence)
    own = scores.loc[name]
    pairs = _pick(comparisons, HEADLINE)
    pairs = pairs[pairs["representation"] == name].assign(p_holm=lambda own: own["p_holm_own"])
    differences = differences_of(pairs, scores["mean"], NAMED, catalogue)
    judged = Evidence(
        own["mean"],
        own["low"],
        own["high"],
        int(own["n"]),
        subject.training,
        differences,
        missing=lacking(references, (*NAMED, "untrained"), catalogue),
        setting=subject.setting,
    )
    facts = [
        f"{one.words('+.3f')}, better in {better:.0f} of {count(one.n, 'patient')}"
        for one, better in zip(differences, pairs["better_in"], strict=True)
    ]
    facts.append(
        "paired sign-flip tests over patients, whose smallest possible uncorrected p is "
        f"{format_number(pairs['smallest_p'].min(), '.2g')}"
    )
    facts += _beside(summary, name, references[0], catalogue)
    facts.append(_best(scores, models, references, catalogue))
    return Claim(
        "clustering",
        subject.model,
        glance=Glance.of(
            own["mean"],
            {catalogue.title(r): scores.loc[r, "mean"] for r in references},
            lambda ari, more: f"ARI {format_number(ari, f'.{2 + more}f')}",
        ),
        obtained=f"mean ARI {format_interval(own['mean'], own['low'], own['high'], '.3f')} "
        "(k-means within a section)",
        baseline=", ".join(f"{catalogue.title(r)} {scores.loc[r, 'mean']:.3f}" for r in references),
        n=f"{count(own['n'], 'patient')}, {count(own['n_sections'], 'section')}, "
        f"{count(own['spots'], 'labelled spot')}, {count(own['seeds'], 'seed')}, {subject.seen}",
        evidence=evidence,
        protocol="k-means within a section, as many clusters as labels; adjusted Rand index, "
        "mean over patients",
        **subject.conclude(judged, facts),
    )


def _pick(table: pd.DataFrame, key: Key) -> pd.DataFrame:
    """Select rows of one score without centring."""
    own = rows_of(table, key)
    return own[~own["centred"]]


def _beside(summary: pd.DataFrame, name: str, reference: str, catalogue: Catalogue) -> list[str]:
    """List the other metrics whose mean is better, or worse, than that of one reference."""
    won: list[str] = []
    lost: list[str] = []
    for key, words in SIDE.items():
        means = _pick(summary, key).set_index("representation")["mean"]
        if {name, reference} <= set(means.index) and means[name] != means[reference]:
            higher = means[name] > means[reference]
            (won if higher != lower_is_better(*key[-2:]) else lost).append(words)
    other = catalogue.title(reference)
    return [
        f"{how} than {other} on average, not tested: {', '.join(words)}"
        for words, how in ((won, "better"), (lost, "worse"))
        if words
    ]


def _best(
    scores: pd.DataFrame, models: Sequence[str], references: Sequence[str], catalogue: Catalogue
) -> str:
    means = scores["mean"].fillna(-1.0)  # below any adjusted Rand index
    recipe = means[[f"sagefm-{m}" for m in models if f"sagefm-{m}" in means.index]].idxmax()
    first = means[[not catalogue.is_bound(name) for name in means.index]].idxmax()
    beaten = [catalogue.title(r) for r in references if means[recipe] > means[r]]
    above = f"above {', '.join(beaten)}" if beaten else "above none of the references"
    best = f"; best of all: {catalogue.title(first)} ({means[first]:.3f})"
    whole = "" if first == recipe else best
    found = f"{catalogue.title(recipe)} ({means[recipe]:.3f})"
    return f"best of the models: {found}, {above}{whole}"
