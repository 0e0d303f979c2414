"""Claim 2 of the paper, judged by masked-gene recovery."""

import pandas as pd

from sagefm.common.claim import Claim, Glance, Subject
from sagefm.common.text import count, format_interval, format_number, with_sign
from sagefm.common.verdict import Difference, Evidence, Reported
from sagefm.plotting.colours import PREDICTOR_NAMES
from sagefm.stats.paired import t_interval

HEADLINE = "recovered_shared"
"""Share of the tested genes that are recovered, over the same genes for all predictors."""


def recovery_claim(
    subject: Subject,
    summary: pd.DataFrame,
    patients: pd.DataFrame,
    comparisons: pd.DataFrame,
    reported: float,
) -> Claim:
    """Judge claim 2 by a model's recovery on one cohort.

    The score is the share of genes recovered within a section, averaged over patients. The model
    must exceed the untrained baselines and the gene-blind controls. It must also reach the paper's
    share and exceed the best baseline over all spots pooled.

    Parameters
    ----------
    subject
        The model and the cohort.
    summary, patients, comparisons
        Recovery tables: over all pooled spots, for each patient, and the model minus each other
        predictor over patients.
    reported
        The paper's share of genes, 0 to 1.
    """
    everything = summary[summary["stratum_kind"] == "all"].set_index("predictor")
    pooled, others = everything.loc["model"], everything.drop(index="model")
    by_patient = patients.pivot(index="patient", columns="predictor", values=HEADLINE)
    mean, low, high = t_interval(by_patient["model"].dropna().to_numpy())
    n = int(by_patient["model"].notna().sum())
    pairs = comparisons[comparisons["metric"] == HEADLINE]
    differences = [
        Difference.of(
            PREDICTOR_NAMES[row["baseline"]],
            row | {"n": row["n_patients"]},
            value=by_patient[row["baseline"]].mean(),
        )
        for row in pairs.to_dict("records")
    ]
    best = str(others[HEADLINE].idxmax())
    ahead = pooled[HEADLINE] - others.loc[best, HEADLINE]
    in_pool = Difference(
        f"{PREDICTOR_NAMES[best]} in pooled spots",
        ahead,
        ahead,
        ahead,
        n=int(pooled["n_spots"]),
        value=others.loc[best, HEADLINE],
    )
    evidence = Evidence(
        mean,
        low,
        high,
        n,
        subject.training,
        [*differences, in_pool],
        # A section has fewer spots than the cohort, so fewer genes are significant in it. The
        # paper's share is over pooled spots: it is excluded only if our pooled share is lower too.
        reported=Reported(reported, pooled[HEADLINE], low, max(high, pooled[HEADLINE]), n),
        setting=subject.setting,
    )
    least_mse = others["mse"].idxmin()
    facts = [one.words("+.1f", 100, " points") for one in differences]
    facts += [
        f"all spots pooled: {format_number(pooled[HEADLINE], '.1%')}, {PREDICTOR_NAMES[best]} "
        f"{others.loc[best, HEADLINE]:.1%}",
        f"with the spot's depth held fixed, within sections: {pooled['share_given_depth']:.1%} of "
        f"the same genes, median r {with_sign(pooled['within_given_depth'], '.3f')}",
        f"{pooled['n_genes_constant']:,} genes are predicted as constant and count as not "
        "recovered",
        f"MSE {pooled['mse']:.4f}, {PREDICTOR_NAMES[least_mse]} {others['mse'].min():.4f}",
    ]
    shares = by_patient.drop(columns="model").mean().sort_values(ascending=False)
    return Claim(
        "recovery",
        subject.model,
        glance=Glance.of(
            mean,
            {PREDICTOR_NAMES[str(name)]: share for name, share in shares.items()},
            lambda share, more: f"{format_number(share, f'.{more}%')} of genes",
        ),
        obtained=f"{format_interval(mean, low, high, '.1%')} of tested genes, mean over patients",
        baseline=", ".join(
            f"{PREDICTOR_NAMES[str(name)]} {share:.1%}" for name, share in shares.items()
        ),
        n=f"{pooled['n_genes_tested']:,} of {pooled['n_genes']:,} genes, {pooled['n_spots']:,} "
        f"spots, {count(pooled['n_samples'], 'section')}, {subject.seen}",
        evidence=f"recovery/{subject.model}/{subject.name}/summary.tsv",
        protocol="genes hidden at random at a spot, its neighbours complete; Pearson correlation "
        "of each gene over a section, p < 0.05; mean over a patient's sections, then over patients",
        **subject.conclude(evidence, facts),
    )
