"""The chapters that hold something of a whole cohort: what each asks of memory."""

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bench.stages import fresh_model
from sagefm.networks.device import prepare_machine
from sagefm.recovery.score import recover
from sagefm.representations.registry import load_method, read_options
from sagefm.sections.cohort import Cohort
from sagefm.sections.gene_summary import summarise_genes
from sagefm.sections.section import Section

NARROW = (32, 16, 16, 16, 32)
"""Widths of a network whose size does not matter."""


def cohort_of(sections: Sequence[Section]) -> Cohort:
    """Sections as a representation takes them."""
    return Cohort(
        tuple(section.counts_path for section in sections),
        tuple(section.graph_path for section in sections),
    )


def gene_means(sections: Sequence[Section]) -> None:
    """The mean of each gene over the training samples."""
    summarise_genes(sections, "log1p")


def recovery(sections: Sequence[Section], widths: tuple[int, ...] = NARROW) -> None:
    """Claim 2: the sums of all spots, and the ranked values of some."""
    genes = sections[0].n_genes()
    facts = [
        {"sample": s.sample, "patient": s.sample, "organ": "", "patient_seen": False}
        for s in sections
    ]
    model = fresh_model(genes, widths)
    template = model.batches(sections)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        recover(model, sections, template, np.zeros(genes), facts, 2_000, folder)


def recovery_alone(sections: Sequence[Section]) -> None:
    """`recovery` on one core, with a network whose size does not matter."""
    prepare_machine("cpu", 1)
    recovery(sections)


def representation(name: str, sections: Sequence[Section]) -> None:
    """A representation by a method with its default options."""
    load_method(name).represent(cohort_of(sections), read_options(name, {}), 0)


CHAPTERS: dict[str, Callable[[Sequence[Section]], None]] = {
    "gene_means": gene_means,
    "recovery": recovery_alone,
    "representation_pca": partial(representation, "pca"),
    "representation_neighbour_mean": partial(representation, "neighbour_mean"),
}
