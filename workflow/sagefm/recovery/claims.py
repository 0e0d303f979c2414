"""What each chapter of a run has to say of the paper's claims, verdicts and reasons included."""

import pandas as pd

from sagefm.common.claim import Claim, judge
from sagefm.common.text import count, format_number


def recovery_claims(
    model: str,
    cohort: str,
    title: str,
    summary: pd.DataFrame,
    paper_data: bool,
    seen: str,
    reported: float,
) -> list[Claim]:
    """Claim 2, from a model's recovery summary on one cohort.

    `seen` is `patients.patients_seen`, `reported` the paper's share of genes, 0 to 1.
    """
    everything = summary[summary["stratum_kind"] == "all"].set_index("predictor")
    own = everything.loc["model"]
    untrained = everything.drop(index="model")
    best = untrained["recovered_p05"].idxmax()
    obtained, baseline = own["recovered_p05"], untrained["recovered_p05"].max()
    least_mse = untrained["mse"].idxmin()
    detail = (
        f"{own['recovered_bh']:.1%} after Benjamini-Hochberg, {own['recovered_within_p05']:.1%} "
        f"within a section; {own['n_genes_constant']:,} genes are predicted constant, median r of "
        f"the others {format_number(own['median_pearson'], '.3f')}; MSE {own['mse']:.4f}, "
        f"{_words(least_mse)} {untrained['mse'].min():.4f}"
    )
    found = "supported", "as many genes as reported, and more than any baseline"
    if round(obtained, 2) < reported:
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
