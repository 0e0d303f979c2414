"""Ingestion of bundled sections, compared with a bare read of the same files by h5py."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import h5py

from bench.bundled import RESOURCES
from bench.cohort_files import HARMONISE, QC
from bench.limits import best_seconds
from bench.table import Table
from sagefm.cohorts.ingest import ingest
from sagefm.sections.genes import read_panel

TARGETS: dict[str, str] = {}


def read_bare(path: Path) -> int:
    """Read every dataset of a file and return the bytes that they take in memory."""
    sizes = []
    with h5py.File(path) as file:
        file.visititems(
            lambda _, item: sizes.append(item[()].nbytes) if hasattr(item, "nbytes") else None
        )
    return sum(sizes)


def measure_files(paths: Sequence[Path], panel: Sequence[str], table: Table) -> None:
    """Add the row for some sections."""
    size = sum(map(read_bare, paths))

    def whole() -> None:
        for path in paths:
            ingest(path, {"cohort": "bench", "sample": path.stem}, panel, QC, HARMONISE)

    bare = best_seconds(lambda: [read_bare(path) for path in paths], 3)
    detail = f"{len(paths)} sections, bytes in memory; limit: h5py reads every dataset"
    took = best_seconds(whole, 2)
    table.add("ingest", size / took / 1e6, "MB/s", detail, size / bare / 1e6)


def measure(options: Namespace, table: Table) -> None:
    """Add the row for the bundled breast sections of two patients."""
    paths = sorted((RESOURCES / "demo/st").glob("SPA12*.h5ad"))
    measure_files(paths, read_panel(RESOURCES / "panel/sagefm_genes.txt"), table)
