"""A small cohort of real sections on disk: three samples with graphs, the second with labels."""

from pathlib import Path

import pandas as pd

from sagefm.common.io import write_table
from sagefm.sections.cohort import Cohort, cohort_obs, describe_spots
from support import small

SPOTS, GENES = 40, 120
SAMPLES = ("heart-2", "SPA147", "heart-1")
"""Samples in an unsorted order."""


def write_cohort(
    folder: Path, samples: tuple[str, ...] = SAMPLES, spots: int = SPOTS, genes: int = GENES
) -> Cohort:
    """Write patches of the sections as ingestion does."""
    sections = small.write_sections(folder, samples, spots, genes)
    return Cohort(
        tuple(section.counts_path for section in sections),
        tuple(section.graph_path for section in sections),
    )


def rows_of(cohort: Cohort) -> list[dict[str, str]]:
    """The cohort's sheet, with a different patient for each sample."""
    facts = {"dataset": "test", "organ": "Heart", "disease_state": ""}
    return [{"sample": path.stem, "patient": f"P-{path.stem}", **facts} for path in cohort.samples]


def write_labels(cohort: Cohort, path: Path) -> Path:
    """Write labels for the first ten spots of SPA147."""
    spots = cohort_obs(cohort.samples)
    own = spots.loc[spots["sample"] == "SPA147", ["sample", "spot"]].iloc[:10]
    write_table(own.assign(label="tumour"), path)
    return path


def described(cohort: Cohort, labels: Path | None = None) -> pd.DataFrame:
    """The cohort's spots with the facts of its sheet, and labels."""
    return describe_spots(cohort_obs(cohort.samples), rows_of(cohort), labels)
