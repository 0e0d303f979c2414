"""Making dense batches from sparse sections, compared with filling the same memory."""

import tempfile
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.bundled import bundled_sections
from bench.limits import best_seconds, fill_rate
from bench.stages import PAPER
from bench.table import Table
from sagefm.sections.dense import make_batch
from sagefm.sections.section import Section, load_chunk

TARGETS: dict[str, str] = {}


def measure_sections(sections: Sequence[Section], table: Table) -> None:
    """Add the row for batches of the first section, with masks drawn beforehand."""
    chunk = load_chunk(sections[:1], PAPER["normalisation"])
    number, genes = PAPER["training"]["batch_size"], sections[0].n_genes()
    rows = np.arange(min(number, len(chunk.spots)))
    mask = np.random.default_rng(0).random((len(rows), genes)) < PAPER["mask_share"]
    made = make_batch([(chunk, rows)], "mean", mask)
    ends = chunk.ego_indptr
    added = np.concatenate([chunk.ego[ends[row] : ends[row + 1]] for row in rows])
    entries = int(np.diff(chunk.expression.indptr)[added].sum())
    # Each added entry is read as a column index and a value, four bytes each.
    size = sum(t.nbytes for t in (*made.inputs, made.target)) + 8 * entries
    took = best_seconds(lambda: make_batch([(chunk, rows)], "mean", mask), 20)
    detail = (
        f"{len(rows)} spots x {genes} genes, input and target, of {entries} entries added one by "
        f"one ({1e9 * took / entries:.1f} ns each); limit: filling as much new memory"
    )
    table.add("batches", size / took / 1e9, "GB/s", detail, fill_rate(size) / 1e9)


def measure(options: Namespace, table: Table) -> None:
    """Add the row for a bundled section."""
    with tempfile.TemporaryDirectory() as folder:
        measure_sections(bundled_sections(Path(folder), ["heart-1"]), table)
