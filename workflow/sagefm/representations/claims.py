"""The verdict on spatial coherence, from the scores of the representations."""

import pandas as pd

from sagefm.common.claim import Claim, judge
from sagefm.common.text import count
from sagefm.representations.catalogue import representation_name

COHERENCE_REFERENCES = ("pca", "neighbour_mean")
"""Representations that a coherent embedding has to exceed."""


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
