"""Recovery patient by patient, and the model against each baseline and control."""

import pandas as pd

from sagefm.recovery.predictors import ROLES
from sagefm.stats.paired import holm_within, paired_difference

HEADLINES = (
    "recovered_shared",
    "median_pearson_shared",
    "within_given_depth",
    "share_given_depth",
)
"""Columns of `Recovery.samples` that predictors are compared by; each is better if it is larger."""


def recovery_by_patient(samples: pd.DataFrame) -> pd.DataFrame:
    """Means over a patient's samples of `HEADLINES` and mse: one row a predictor and patient.

    Parameters
    ----------
    samples
        Of `Recovery.samples`: genes are compared within each sample, all of them weigh the same.
    """
    keys = ["predictor", "role", "patient"]
    groups = samples.groupby(keys, sort=False)
    counts = groups.agg(n_samples=("sample", "size"), n_spots=("n_spots", "sum"))
    return counts.join(groups[[*HEADLINES, "mse"]].mean()).reset_index()


def compare(patients: pd.DataFrame) -> pd.DataFrame:
    """The model less each other predictor, paired over patients.

    Parameters
    ----------
    patients
        Of `recovery_by_patient`.

    Returns
    -------
    DataFrame
        One row a baseline and metric of `HEADLINES`: baseline, role, metric, difference (mean over
        patients), low, high (95 % by t), p (exact sign-flip test), p_holm (over the baselines and
        controls of a metric), smallest_p, n_patients, better_in (patients). What is constant within
        a sample recovers nothing by definition, and has no row.
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
