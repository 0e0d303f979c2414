"""Verdict on spatial coherence, from the scores of the representations."""

from collections.abc import Mapping

import pandas as pd

from sagefm.common.claim import Claim, Subject
from sagefm.common.text import count, format_interval
from sagefm.common.verdict import Difference, Evidence
from sagefm.representations.catalogue import REGISTERED, Catalogue
from sagefm.stats.paired import holm_within, paired_difference, t_interval


def coherence_claim(
    subject: Subject,
    table: pd.DataFrame,
    patients: Mapping[str, str],
    catalogue: Catalogue = REGISTERED,
) -> Claim:
    """Judge `spatially coherent`: Moran's I of the embedding against untrained ones and controls.

    The embedding must exceed untrained neighbourhoods too, because averaging neighbours is coherent
    by construction. A significantly lower value than that of single spots contradicts the claim.

    Parameters
    ----------
    subject
        Model and cohort.
    table
        Results of `coherence.moran_table` for all representations of the cohort.
    patients
        Patient of each sample.
    catalogue
        Titles and roles of the representations.
    """
    scores = table.assign(patient=table["sample"].map(patients))
    by_patient = scores.groupby(["patient", "representation"])["mean_moran_i"].mean().unstack()
    own = by_patient[subject.representation]
    mine = table["representation"] == subject.representation
    constant = table.loc[mine, "mean_moran_i"].isna().any()
    references = [r for r in catalogue.references("untrained", "control") if r in by_patient]
    mean, low, high = t_interval(own.to_numpy())
    pairs = pd.DataFrame([paired_difference((own - by_patient[r]).to_numpy()) for r in references])
    if references:
        pairs["p_holm"] = holm_within(pairs, [])
    differences = [
        Difference.of(
            catalogue[reference].in_words,
            pair,
            named=reference in catalogue.untrained(spatial=False),
            value=by_patient[reference].mean(),
        )
        for reference, pair in zip(references, pairs.to_dict("records"), strict=True)
    ]
    judged = Evidence(
        mean,
        low,
        high,
        int(own.notna().sum()),
        subject.training,
        differences,
        missing=_missing(references, catalogue),
        unusable="the embedding is constant in a section" * bool(constant),
        setting=subject.setting,
    )
    widths = table.groupby("representation")["components"].max()
    widths = widths[[subject.representation, *references]]
    components = " or ".join(map(str, sorted(set(widths))))
    means = by_patient.mean()
    return Claim(
        "coherent",
        subject.model,
        obtained=f"mean Moran's I {format_interval(mean, low, high, '.3f')}",
        baseline=", ".join(f"{catalogue.title(r)} {means[r]:.3f}" for r in references) or "-",
        n=f"{count(own.notna().sum(), 'patient')}, {count(table['sample'].nunique(), 'section')}, "
        f"{components} components each, {subject.seen}",
        evidence=f"coherence/{subject.name}.tsv",
        protocol="Moran's I of the leading components within a section, mean over patients",
        **subject.conclude(judged, [one.words("+.3f") for one in differences]),
    )


def _missing(references: list[str], catalogue: Catalogue) -> list[str]:
    """List missing baselines: one of single spots and one of neighbourhoods are required."""
    kinds = {False: "an untrained baseline of single spots", True: "an untrained neighbourhood"}
    return [
        words
        for spatial, words in kinds.items()
        if not set(references) & set(catalogue.untrained(spatial))
    ]
