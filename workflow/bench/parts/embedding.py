"""Embedding and predicting a section, compared with the bare products of the network's layers."""

import tempfile
from argparse import Namespace
from pathlib import Path

import numpy as np

from bench.bundled import bundled_sections
from bench.limits import best_seconds, dense_seconds
from bench.stages import fresh_model
from bench.table import Table
from sagefm.networks.base import WIDTHS
from sagefm.networks.device import prepare_machine
from sagefm.sections.section import Section

TARGETS: dict[str, str] = {}
BATCH = 64


def measure_section(section: Section, widths: tuple[int, ...], table: Table) -> None:
    """Add the rows for a section and the paper's network with these widths."""
    genes, spots = section.n_genes(), section.n_spots()
    model = fresh_model(genes, widths)
    stages = {
        "embedding": (lambda: sum(map(len, model.embedded_rows(section))), (genes, *widths)),
        "predicting": (
            lambda: sum(map(len, model.completed_rows(section, np.ones(genes, bool)))),
            (genes, *widths, genes),
        ),
    }
    for name, (work, layers) in stages.items():
        limit = BATCH / dense_seconds(BATCH, layers)
        rate = spots / best_seconds(work, 3)
        detail = f"{spots} spots, reading included; limit: the products of {len(layers) - 1} layers"
        table.add(name, rate, "spots/s", detail, limit)


def measure(options: Namespace, table: Table) -> None:
    """Add the rows for a bundled section at the paper's widths."""
    prepare_machine("cpu", options.threads)
    with tempfile.TemporaryDirectory() as folder:
        (section,) = bundled_sections(Path(folder), ["heart-1"])
        measure_section(section, WIDTHS, table)
