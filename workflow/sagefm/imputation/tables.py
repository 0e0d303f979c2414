"""Summary of imputation: scores over patients, and differences from depth-scaled gene means."""

import pandas as pd

from sagefm.stats.paired import holm_within, paired_difference, t_interval
from sagefm.stats.patients import count_seen

AS_RELEASED = "as_released"

SETTINGS = {
    "systematic": ("model", "gene_mean", "gene_mean_depth", "zero"),
    "centre_only": ("model", "neighbour_mean", "gene_mean", "gene_mean_depth", "zero"),
    AS_RELEASED: ("model", "gene_mean", "gene_mean_depth", "zero"),
}
"""Predictors available in each setting, that is, by which spots lack the genes.

`systematic`: all spots; `centre_only`: the central spot, while its neighbours keep them;
`as_released`: all spots of a subgraph, with genes drawn separately for each, as in the released
code. `gene_mean` is the mean over the training samples; `gene_mean_depth` is
`baselines.depth_scaled_mean`.
"""

REFERENCE = "gene_mean_depth"
"""Strongest baseline without a network, from which differences are computed."""

METRICS = ("mse", "rmse", "r2", "r2_spot", "median_pearson", "mean_pearson", "constant")
"""Scores computed by `score.score_section`."""


def summarise_imputation(samples: pd.DataFrame) -> pd.DataFrame:
    """Average scores over patients: first over repeats, then over a patient's sections.

    Parameters
    ----------
    samples
        Concatenated results of `score.score_sections`.

    Returns
    -------
    DataFrame
        One row per setting, share, predictor and metric: mean, low, high (95% t interval over
        patients) and n_patients; for all rows, n_patients_seen, n_patients_unknown (whether they
        were seen), n_samples, n_spots; difference (predictor minus `REFERENCE`, over the same
        patients) with difference_low, difference_high, p (exact sign-flip test), p_holm (over a
        predictor's shares), smallest_p, better_in (patients). The differences are empty for
        `REFERENCE` itself.
    """
    keys = ["setting", "predictor", "share"]
    per_sample = samples.groupby([*keys, "patient", "sample"])[[*METRICS]].mean()
    patients = per_sample.groupby([*keys, "patient"]).mean()
    about = {
        **count_seen(samples),
        "n_samples": samples["sample"].nunique(),
        "n_spots": samples.drop_duplicates("sample")["n_spots"].sum(),
    }
    rows = []
    for (setting, predictor, share), group in patients.groupby(level=keys):
        reference = patients.xs((setting, REFERENCE, share), level=keys)
        own = group.droplevel(keys)
        for metric in METRICS:
            mean, low, high = t_interval(own[metric].dropna().to_numpy())
            row = {"setting": setting, "predictor": predictor, "share": share, "metric": metric}
            row |= {"mean": mean, "low": low, "high": high}
            row |= {"n_patients": own[metric].count(), **about}
            if predictor != REFERENCE:
                lower = metric in ("mse", "rmse", "constant")
                row |= _against(own[metric] - reference[metric], lower)
            rows.append(row)
    table = pd.DataFrame(rows)
    table["p_holm"] = holm_within(table, ["setting", "predictor", "metric"])
    return table


def _against(differences: pd.Series, lower_is_better: bool) -> dict[str, float]:
    facts = paired_difference(differences.to_numpy(), lower_is_better)
    names = {"low": "difference_low", "high": "difference_high"}
    return {names.get(name, name): value for name, value in facts.items() if name != "n"}
