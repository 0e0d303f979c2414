"""Recovery by patient, and comparison of the model with each baseline and control."""

import pandas as pd

from sagefm.recovery.predictors import ROLES
from sagefm.stats.paired import holm_within, paired_difference

HEADLINES = (
    "recovered_shared",
    "median_pearson_shared",
    "within_given_depth",
    "share_given_depth",
)
"""Columns of `Recovery.samples` by which predictors are compared. Higher is better in each."""


def recovery_by_patient(samples: pd.DataFrame) -> pd.DataFrame:
    """Average `HEADLINES` and mse over each patient's samples: one row per predictor and patient.

    Parameters
    ----------
    samples
        Table from `Recovery.samples`. Genes are compared within samples, and all samples of a
        patient have the same weight.
    """
    keys = ["predictor", "role", "patient"]
    groups = samples.groupby(keys, sort=False)
    counts = groups.agg(n_samples=("sample", "size"), n_spots=("n_spots", "sum"))
    return counts.join(groups[[*HEADLINES, "mse"]].mean()).reset_index()


def compare(patients: pd.DataFrame) -> pd.DataFrame:
    """Compare the model with each other predictor, paired over patients.

    Parameters
    ----------
    patients
        Table of `recovery_by_patient`.

    Returns
    -------
    DataFrame
        One row per baseline and metric of `HEADLINES`: baseline, role, metric, difference (model
        minus baseline, mean over patients), low, high (95% interval by t), p (exact sign-flip
        test), p_holm (over the baselines and controls of a metric), smallest_p, n_patients,
        better_in (number of patients). Predictors that are constant within a sample recover
        nothing by definition and have no row.
    """
    correlated = patients.dropna(subset="median_pearson_shared")["predictor"].unique()
    rows = []
    for metric in HEADLINES:
        wide = patients.pivot(index="patient", columns="predictor", values=metric)
        for baseline in [name for name in correlated if name != "model"]:
            facts = paired_difference((wide["model"] - wide[baseline]).to_numpy())
            about = {"baseline": baseline, "role": ROLES[baseline], "metric": metric}
            about["n_patients"] = facts.pop("n")
            rows.append(about | facts)
    table = pd.DataFrame(rows)
    table["p_holm"] = holm_within(table, ["metric"])
    return table
