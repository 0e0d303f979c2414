"""Run the chapters that keep data of a whole cohort in memory."""

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
"""Small widths, for measurements in which the network's size does not matter."""


def cohort_of(sections: Sequence[Section]) -> Cohort:
    """Return the sections as the cohort that a representation takes."""
    return Cohort(
        tuple(section.counts_path for section in sections),
        tuple(section.graph_path for section in sections),
    )


def gene_means(sections: Sequence[Section]) -> None:
    """Compute the mean of each gene over the training samples."""
    summarise_genes(sections, "log1p")


def recovery(sections: Sequence[Section], widths: tuple[int, ...] = NARROW) -> None:
    """Compute masked-gene recovery: sums over all spots and ranked values of a sample of them."""
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
    """Run `recovery` on one thread with a small network."""
    prepare_machine("cpu", 1)
    recovery(sections)


def representation(name: str, sections: Sequence[Section]) -> None:
    """Compute a representation by a method with its default options."""
    load_method(name).represent(cohort_of(sections), read_options(name, {}), 0)


CHAPTERS: dict[str, Callable[[Sequence[Section]], None]] = {
    "gene_means": gene_means,
    "recovery": recovery_alone,
    "representation_pca": partial(representation, "pca"),
    "representation_neighbour_mean": partial(representation, "neighbour_mean"),
}
