"""Recovery within sections, averaged over the patients of each stratum, with intervals."""

import pandas as pd

from sagefm.recovery.sums import Recovery
from sagefm.stats.paired import t_interval
from sagefm.stats.patients import seen_stratum

UNIT = "neighbour_mean"
"""Predictor that all errors are divided by. It needs no training."""

KEYS = ["stratum_kind", "stratum", "predictor"]

VALUES = {"recovered_p05": "patients_recovered", "relative_mse": "patients_relative_mse"}
"""Columns of a section's scores, and the names of their means over patients."""


def over_patients(recovery: Recovery) -> pd.DataFrame:
    """Average the share of genes recovered and the error over patients, in every stratum.

    Within each section, genes are recovered by their correlation over its spots, and binned by
    their detection rate there. A patient's value is the mean of its sections.

    Returns
    -------
    DataFrame
        stratum_kind, stratum, predictor; patients_recovered (share of the tested genes),
        patients_relative_mse (error divided by that of `UNIT` in the same section), each with *_low
        and *_high (95% interval, Student's t over patients; missing for a single patient);
        patients_n; patients_genes (mean number of tested genes).
    """
    samples = pd.DataFrame(recovery.samples)
    strata = {
        "all": samples.assign(stratum="all"),
        "organ": samples.assign(stratum=samples["organ"]),
        "patients": samples.assign(stratum=samples["patient_seen"].map(seen_stratum)),
        "detection": pd.DataFrame(recovery.bins),
    }
    rows = pd.concat([own.assign(stratum_kind=kind) for kind, own in strata.items()])
    section = [*KEYS[:2], "sample"]
    unit = rows[rows["predictor"] == UNIT][[*section, "mse"]]
    rows = rows.merge(unit, on=section, suffixes=("", "_unit"))
    rows["relative_mse"] = rows["mse"] / rows["mse_unit"].where(rows["mse_unit"] > 0)
    wanted = [*VALUES, "n_genes_tested"]
    patients = rows.groupby([*KEYS, "patient"], sort=False, dropna=False)[wanted].mean()
    found = []
    for key, own in patients.groupby(KEYS, sort=False):
        row = dict(zip(KEYS, key, strict=True))
        for column, name in VALUES.items():
            ends = t_interval(own[column].dropna().to_numpy())
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
        row["patients_n"] = int(own["recovered_p05"].notna().sum())
        found.append(row | {"patients_genes": own["n_genes_tested"].mean()})
    return pd.DataFrame(found)
