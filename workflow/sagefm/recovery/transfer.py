"""Recovery on every cohort, on the training's technology and on others."""

from collections.abc import Collection, Mapping

import pandas as pd

from sagefm.recovery.claims import HEADLINE


def transfer_table(
    patients: pd.DataFrame,
    technologies: Mapping[str, Collection[str]],
    trained_on: Mapping[str, Collection[str]],
) -> pd.DataFrame:
    """One row per cohort and model: share of genes recovered by the model and the best other.

    The share is the claim's: of the tested genes, within a section, averaged over a patient's
    sections and then over patients. It is not tested, because a cohort may have too few patients.

    Parameters
    ----------
    patients
        Table of `comparisons.recovery_by_patient`, with the columns model and cohort.
    technologies
        Technologies of each cohort, from its sheet; empty if the sheet names none.
    trained_on
        Cohorts that each model was pretrained on.

    Returns
    -------
    DataFrame
        cohort, model, technology, trained_on (technologies of the training cohorts), transfer
        (`yes` if these include none of the cohort's technologies, `no`, or `unknown` if a sheet
        names none), n_patients, n_samples, n_spots, recovered_shared (0 to 1), best_other,
        best_other_role, best_other_recovered_shared.
    """
    rows = []
    for (cohort, model), own in patients.groupby(["cohort", "model"], sort=False):
        shares = own.groupby("predictor")[HEADLINE].mean()
        others = shares.drop(index="model")
        best = str(others.idxmax())
        counted = own[own["predictor"] == "model"]
        here = {*technologies[str(cohort)]}
        seen = {name for trained in trained_on[str(model)] for name in technologies[trained]}
        known = bool(here and seen)
        rows.append(
            {
                "cohort": cohort,
                "model": model,
                "technology": ", ".join(sorted(here)),
                "trained_on": ", ".join(sorted(seen)),
                "transfer": ("no" if here & seen else "yes") if known else "unknown",
                "n_patients": len(counted),
                "n_samples": int(counted["n_samples"].sum()),
                "n_spots": int(counted["n_spots"].sum()),
                HEADLINE: shares["model"],
                "best_other": best,
                "best_other_role": own.set_index("predictor")["role"].loc[[best]].iloc[0],
                f"best_other_{HEADLINE}": others[best],
            }
        )
    return pd.DataFrame(rows)
