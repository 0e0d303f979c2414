"""Masked-gene recovery of some sections, compared with the bare products of the layers."""

import tempfile
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from bench.bundled import bundled_sections
from bench.chapters import recovery
from bench.limits import best_seconds, dense_seconds
from bench.table import Table
from sagefm.networks.base import WIDTHS
from sagefm.networks.device import prepare_machine
from sagefm.sections.section import Section

TARGETS: dict[str, str] = {}
BATCH = 64


def measure_sections(sections: Sequence[Section], widths: tuple[int, ...], table: Table) -> None:
    """Add the row for some sections, including all baselines and sums of the chapter."""
    genes, spots = sections[0].n_genes(), sum(section.n_spots() for section in sections)
    limit = BATCH / dense_seconds(BATCH, (genes, *widths, genes))
    rate = spots / best_seconds(lambda: recovery(sections, widths), 2)
    detail = f"{spots} spots, baselines included; limit: the products of the network's layers"
    table.add("recovery", rate, "spots/s", detail, limit)


def measure(options: Namespace, table: Table) -> None:
    """Add the row for the bundled heart sections at the paper's widths."""
    prepare_machine("cpu", options.threads)
    with tempfile.TemporaryDirectory() as folder:
        measure_sections(bundled_sections(Path(folder), ["heart-*"]), WIDTHS, table)
