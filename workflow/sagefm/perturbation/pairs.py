"""Select the gene pairs that can be tested on a cohort: in the panel and detected often enough."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sagefm.common.errors import InputError


def pairs_of_cohort(
    pairs: pd.DataFrame, detection: pd.DataFrame, panel: Sequence[str], min_detected: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split pairs into those that can be tested on a cohort and the others, with a reason.

    Parameters
    ----------
    pairs
        input, output, sign, group, from `pair_sources.read_pairs`.
    detection
        Columns gene, and mean and detected from `gene_summary.GeneSums.summary`.
    panel
        The model's genes.
    min_detected
        Minimum share of spots in which both genes must be detected, in sections of the cohort that
        measured the gene.

    Returns
    -------
    kept
        The columns of `pairs`, and input_detected, output_detected (share of spots), input_mean,
        output_mean (mean log1p expression).
    dropped
        The same columns, missing for a gene that is not in the panel, and reason (the first that
        applies).

    Raises
    ------
    InputError
        If no pair is left.
    """
    known = detection.set_index("gene")
    table = pairs.reset_index(drop=True)
    for column in ("detected", "mean"):
        for role in ("input", "output"):
            table[f"{role}_{column}"] = table[role].map(known[column])
    genes = table[["input", "output"]]
    reasons = {
        "not in the panel": ~genes.isin(list(panel)).all(axis=1),
        "input equals output": table["input"] == table["output"],
        "duplicate": genes.duplicated(),
        "no sign": table["sign"] == 0,
        f"detected in fewer than {100 * min_detected:g} % of the spots": (
            table[["input_detected", "output_detected"]].min(axis=1) < min_detected
        ),
    }
    reason = np.select(list(reasons.values()), list(reasons), default="")
    kept = table[reason == ""]
    dropped = table.assign(reason=reason)[reason != ""]
    if kept.empty:
        counts = dropped["reason"].value_counts()
        listed = ", ".join(f"{number} {why}" for why, number in counts.items())
        raise InputError(
            f"none of the {len(pairs)} gene pairs can be tested on this cohort ({listed}). Fix: "
            "name another source of pairs, or lower `min_detected`."
        )
    return kept.reset_index(drop=True), dropped.reset_index(drop=True)
