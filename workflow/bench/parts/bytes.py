"""Bytes per spot of our files, and of the dense subgraph that the released code writes."""

import tempfile
from argparse import Namespace
from pathlib import Path

from bench.bundled import bundled_sections
from bench.scale import bytes_a_spot
from bench.table import Table

TARGETS = {"bytes_per_spot": "<= 8734"}
"""One hundredth of the size of 15 dense rows."""


def measure(options: Namespace, table: Table) -> None:
    """Add both rows."""
    with tempfile.TemporaryDirectory() as folder:
        sections = bundled_sections(Path(folder))
        spots = sum(section.n_spots() for section in sections)
        paths = [path for s in sections for path in (s.counts_path, s.graph_path)]
        genes = sections[0].n_genes()
        detail = f"sample and graph, {len(sections)} bundled sections, {spots} spots"
        table.add("bytes_per_spot", bytes_a_spot(paths, spots), "bytes", detail)
    detail = f"15 x {genes} floats, uncompressed"
    table.add("bytes_per_spot_dense", 4 * 15 * genes, "bytes", detail)
