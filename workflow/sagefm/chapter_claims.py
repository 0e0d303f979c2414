"""What each chapter of a run has to say of the paper's claims, verdicts and reasons included."""

from collections.abc import Mapping

import pandas as pd

from sagefm.claims import Claim, judge
from sagefm.names import representation_name
from sagefm.told import count, told

PAPER_SAMPLES, PAPER_ORGANS = 416, 15
PAPER_RECOVERED = 0.91
COHERENCE_REFERENCES = ("pca", "neighbour_mean")
"""Representations that a coherent embedding has to exceed."""


def pretraining_claims(
    model: str,
    organs: pd.DataFrame,
    duplicates: pd.DataFrame,
    split: pd.DataFrame,
    training: Mapping,
    paper_data: bool,
) -> list[Claim]:
    """Claim 1, and `lightweight`.

    Parameters
    ----------
    organs, duplicates
        Of `pretraining_set`, on the cohorts the model is trained on.
    split, training
        The model's split, and the summary of its training (empty for a released checkpoint).
    paper_data
        Whether those cohorts are the paper's own.
    """
    samples, names = int(organs["n_samples"].sum()), [*organs["organ"]]
    parts = split["part"].value_counts()
    verdict, why = _pretraining_verdict(samples, sorted(names), paper_data)
    return [
        Claim(
            "pretraining_set",
            obtained=f"{count(samples, 'sample')}, {count(len(names), 'organ')}",
            baseline="-",
            n=", ".join(f"{parts[part]} {part}" for part in ("train", "validation", "test")),
            evidence="pretraining/organs.tsv",
            verdict=verdict,
            reason=f"{why}; {_persons(organs, split)}{_twice(samples, duplicates)}",
            protocol="counted from the sheets",
        ),
        _lightweight(model, training),
    ]


def _pretraining_verdict(samples: int, organs: list[str], paper_data: bool) -> tuple[str, str]:
    if not paper_data:
        return "proxy", "this run's sections, not the paper's 416"
    if samples != PAPER_SAMPLES:
        return "contradicted", f"{samples} samples instead of 416"
    if len(organs) != PAPER_ORGANS:
        return "inconclusive", (
            f"the 416 samples carry {len(organs)} organ names ({', '.join(organs)}), the paper "
            "counts 15 and lists none, so where they differ is unknown"
        )
    return "supported", "both counts agree"


def _persons(organs: pd.DataFrame, split: pd.DataFrame) -> str:
    """How many patients there are to hold out, as far as they are known."""
    groups, unnamed = split["group"].nunique(), organs["n_without_patient"].sum()
    words = f"split by {groups} groups that share no patient as far as is known"
    return words + (
        f", {count(unnamed, 'sample')} {'names' if unnamed == 1 else 'name'} none"
        if unnamed
        else ""
    )


def _twice(samples: int, duplicates: pd.DataFrame) -> str:
    """Which sections were deposited twice, and how many different ones that leaves."""
    if duplicates.empty:
        return ""
    pairs = ", ".join(
        f"{sample} is {original}"
        for sample, original in zip(duplicates["sample"], duplicates["duplicate_of"], strict=True)
    )
    return f"; {len(duplicates)} were deposited twice ({pairs}), {samples - len(duplicates)} differ"


def _lightweight(model: str, training: Mapping) -> Claim:
    obtained = "a released checkpoint, not trained here"
    n = "-"
    if training:
        cost = training["core_hours"], "core-hours"
        if training["gpu_hours"] is not None:
            cost = training["gpu_hours"], "GPU-hours"
        steps = training["epochs"] * training["train_spots"]
        obtained = (
            f"{training['parameters']:,} parameters; {cost[0]:.2g} {cost[1]} of training, "
            f"{1e3 * training['seconds'] / steps:.2g} ms a spot"
        )
        n = f"{count(training['epochs'], 'epoch')} of {count(training['train_spots'], 'spot')}"
    return Claim(
        "lightweight",
        obtained=obtained,
        baseline="-",
        n=n,
        verdict="inconclusive",
        reason="the paper names no yardstick to be lighter than",
        evidence=f"models/{model}/training.json" if training else "-",
        protocol="training as timed on the machine it ran on" if training else "-",
    )


def recovery_claims(
    model: str, cohort: str, title: str, summary: pd.DataFrame, paper_data: bool, seen: str
) -> list[Claim]:
    """Claim 2, from a model's recovery summary on one cohort; `seen` is `split.patients_seen`."""
    everything = summary[summary["stratum_kind"] == "all"].set_index("predictor")
    own = everything.loc["model"]
    untrained = everything.drop(index="model")
    best = untrained["recovered_p05"].idxmax()
    obtained, baseline = own["recovered_p05"], untrained["recovered_p05"].max()
    least_mse = untrained["mse"].idxmin()
    detail = (
        f"{own['recovered_bh']:.1%} after Benjamini-Hochberg, {own['recovered_within_p05']:.1%} "
        f"within a section; {own['n_genes_constant']:,} genes are predicted constant, median r of "
        f"the others {told(own['median_pearson'], '.3f')}; MSE {own['mse']:.4f}, "
        f"{_words(least_mse)} {untrained['mse'].min():.4f}"
    )
    found = "supported", "as many genes as reported, and more than any baseline"
    if round(obtained, 2) < PAPER_RECOVERED:
        found = "contradicted", "fewer genes than reported"
    elif obtained <= baseline:
        found = "inconclusive", f"{_words(best)}, untrained, reaches as much"
    verdict = judge(found, paper_data, f"computed on {title}, not on the paper's samples")
    return [
        Claim(
            "recovery",
            obtained=f"{obtained:.1%} of tested genes",
            baseline=f"{baseline:.1%} ({_words(best)})",
            n=f"{own['n_genes_tested']:,} of {own['n_genes']:,} genes, {own['n_spots']:,} spots, "
            f"{count(own['n_samples'], 'sample')}, {seen}",
            verdict=verdict["verdict"],
            outcome=verdict["outcome"],
            reason=f"{verdict['reason']}; {detail}",
            evidence=f"recovery/{model}/{cohort}/summary.tsv",
            protocol="genes hidden at random at a spot, its neighbours complete; Pearson "
            "correlation of each gene over the spots of all samples",
        )
    ]


def _words(predictor: str) -> str:
    return predictor.replace("_", " ")


def coherence_claims(
    model: str, cohort: str, table: pd.DataFrame, paper_data: bool, seen: str
) -> list[Claim]:
    """`spatially coherent`: Moran's I of the embedding, against PCA and the neighbour mean.

    Each a mean over samples; the untrained neighbour mean is the baseline to beat, since averaging
    neighbours is coherent by construction. Without both of them nothing is decided.
    """
    by_sample = table.pivot(index="sample", columns="representation", values="mean_moran_i")
    own = by_sample[f"sagefm-{model}"]
    means, samples = by_sample.mean(), len(by_sample)
    references = [name for name in COHERENCE_REFERENCES if name in means]
    lacking = [representation_name(name) for name in COHERENCE_REFERENCES if name not in means]
    found = "supported", "more coherent than both references"
    if lacking:
        found = "inconclusive", f"not held against {' and '.join(lacking)}, which this run lacks"
    elif own.mean() <= means["pca"]:
        found = "contradicted", "less coherent than PCA of single spots"
    elif own.mean() <= means["neighbour_mean"]:
        found = "inconclusive", "no more coherent than averaging neighbours makes it"
    verdict = judge(found, paper_data, f"computed on `{cohort}`, not on the paper's samples")
    widths = table.groupby("representation")["components"].max()
    widths = widths[[f"sagefm-{model}", *references]]
    components = " or ".join(map(str, sorted(set(widths))))
    return [
        Claim(
            "coherent",
            obtained=f"mean Moran's I {own.mean():.3f}",
            baseline=", ".join(f"{representation_name(r)} {means[r]:.3f}" for r in references)
            or "-",
            n=f"{count(samples, 'sample')}, {components} components each, {seen}",
            verdict=verdict["verdict"],
            outcome=verdict["outcome"],
            reason="; ".join(
                [
                    verdict["reason"],
                    *(
                        f"above {representation_name(r)} in {(own > by_sample[r]).sum()} of "
                        f"{count(samples, 'sample')}"
                        for r in references
                    ),
                ]
            ),
            evidence=f"coherence/{cohort}.tsv",
            protocol="Moran's I of the leading components within a sample, mean over samples",
        )
    ]
