"""Memory of an epoch of batches over the paper's 416 sections."""

import sys
import tempfile
from argparse import Namespace
from pathlib import Path

from bench.measured import measured
from bench.scale import make_cohort, paper_sheet
from bench.stages import PAPER, stream
from bench.table import Table

TARGETS = {"stream_peak_gb_1m_spots": "<= 4"}


def measure(options: Namespace, table: Table) -> None:
    """Add the row; `options.distinct` sections are generated, the others are links to them."""
    with tempfile.TemporaryDirectory() as folder:
        sections, *_ = make_cohort(paper_sheet(), options.distinct, 10_000, Path(folder), Table())
        epoch = measured(stream, sections, PAPER, sys.maxsize)
    detail = f"{epoch.result} spots, {len(sections)} sections, an epoch of batches, no network"
    table.add("stream_peak_gb_1m_spots", epoch.peak_gb, "GB", detail)
