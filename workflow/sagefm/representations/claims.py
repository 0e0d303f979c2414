"""The verdict on spatial coherence, from the scores of the representations."""

import pandas as pd

from sagefm.common.claim import Claim, judge
from sagefm.common.text import count
from sagefm.representations.catalogue import REGISTERED, Catalogue


def coherence_claims(
    model: str,
    cohort: str,
    table: pd.DataFrame,
    paper_data: bool,
    seen: str,
    catalogue: Catalogue = REGISTERED,
) -> list[Claim]:
    """`spatially coherent`: Moran's I of the embedding, against the catalogue's untrained ones.

    Each a mean over samples. The embedding has to exceed the untrained neighbourhood, since
    averaging neighbours is coherent by construction. Where one is missing, nothing is decided.
    """
    by_sample = table.pivot(index="sample", columns="representation", values="mean_moran_i")
    own = by_sample[f"sagefm-{model}"]
    means, samples = by_sample.mean(), len(by_sample)
    references = [name for name in catalogue.references("untrained") if name in means]
    verdict = judge(
        _verdict(own.mean(), means, catalogue),
        paper_data,
        f"computed on `{cohort}`, not on the paper's samples",
    )
    widths = table.groupby("representation")["components"].max()
    widths = widths[[f"sagefm-{model}", *references]]
    components = " or ".join(map(str, sorted(set(widths))))
    return [
        Claim(
            "coherent",
            obtained=f"mean Moran's I {own.mean():.3f}",
            baseline=", ".join(f"{catalogue.title(r)} {means[r]:.3f}" for r in references) or "-",
            n=f"{count(samples, 'sample')}, {components} components each, {seen}",
            verdict=verdict["verdict"],
            outcome=verdict["outcome"],
            reason="; ".join(
                [
                    verdict["reason"],
                    *(
                        f"above {catalogue.title(r)} in {(own > by_sample[r]).sum()} of "
                        f"{count(samples, 'sample')}"
                        for r in references
                    ),
                ]
            ),
            evidence=f"coherence/{cohort}.tsv",
            protocol="Moran's I of the leading components within a sample, mean over samples",
        )
    ]


def _verdict(own: float, means: pd.Series, catalogue: Catalogue) -> tuple[str, str]:
    """Outcome and reason, from the mean of the embedding and those of all representations."""
    untrained = catalogue.references("untrained")
    if lacking := [name for name in untrained if name not in means]:
        return "inconclusive", f"not held against {catalogue.titles(lacking)}, which this run lacks"
    above = [catalogue[name] for name in untrained if own <= means[name]]
    for one in above:
        if not one.spatial:
            return "contradicted", f"less coherent than {one.in_words}"
    for one in above:
        return "inconclusive", f"no more coherent than {one.in_words} makes it"
    return "supported", f"more coherent than {'both' if len(untrained) == 2 else 'all'} references"
