"""The chapters that hold something of a whole cohort: what each asks of memory."""

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bench.stages import PAPER
from sagefm.networks.base import build_network
from sagefm.networks.device import prepare_machine
from sagefm.recovery.score import recover
from sagefm.representations.registry import load_method, read_options
from sagefm.sections.cohort import Cohort
from sagefm.sections.gene_summary import gene_summary
from sagefm.sections.section import Section
from sagefm.training.files import batches_of

NARROW = (32, 16, 16, 16, 32)
"""Widths of a network whose size does not matter."""


def _cohort(sections: Sequence[Section]) -> Cohort:
    return Cohort(
        tuple(section.counts_path for section in sections),
        tuple(section.graph_path for section in sections),
    )


def gene_means(sections: Sequence[Section]) -> None:
    """The mean of each gene over the training samples."""
    gene_summary((adata.X for adata in _cohort(sections).sections()), "log1p")


def recovery(sections: Sequence[Section]) -> None:
    """Claim 2: the sums of all spots, and the ranked values of some."""
    device = prepare_machine("cpu", 1)
    genes = sections[0].n_genes()
    model = {**PAPER, "widths": NARROW}
    template = batches_of(list(sections), model, "knn_clique", 1)
    facts = [
        {"sample": s.sample, "patient": s.sample, "organ": "", "patient_seen": False}
        for s in sections
    ]
    network = build_network("gcn", genes, NARROW, seed=0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        recover(network, sections, template, np.zeros(genes), device, facts, 2_000, folder)


def representation(name: str, sections: Sequence[Section]) -> None:
    """A representation by a method with its default options."""
    load_method(name).represent(_cohort(sections), read_options(name, {}), 0)


CHAPTERS: dict[str, Callable[[Sequence[Section]], None]] = {
    "gene_means": gene_means,
    "recovery": recovery,
    "representation_pca": partial(representation, "pca"),
    "representation_neighbour_mean": partial(representation, "neighbour_mean"),
}
