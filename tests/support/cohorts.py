"""A small real cohort on disk: three samples with their graphs, the second with labels."""

from pathlib import Path

import pandas as pd

from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.sections.cohort import Cohort
from support import small

SPOTS, GENES = 40, 120
SAMPLES = ("heart-2", "SPA147", "heart-1")
"""In an order that is no sorted one."""


def write_cohort(
    folder: Path, samples: tuple[str, ...] = SAMPLES, spots: int = SPOTS, genes: int = GENES
) -> Cohort:
    """Write patches of some sections as ingestion does; ten spots of SPA147 are labelled."""
    sections = small.write_sections(folder, samples, spots, genes)
    for section in sections:
        adata = read_h5ad(section.counts_path)
        facts = {"sample": section.sample, "patient": f"P-{section.sample}", "dataset": "test"}
        adata.uns["provenance"] = facts | {"organ": "Heart", "disease_state": ""}
        if section.sample == "SPA147":
            adata.obs["label"] = pd.Categorical(["tumour"] * 10 + [None] * (spots - 10))
        write_h5ad(adata, section.counts_path)
    return Cohort(
        tuple(section.counts_path for section in sections),
        tuple(section.graph_path for section in sections),
    )
