"""Speed and size against the released way of computing, against limits, and against targets.

Writes results/bench/bench.tsv; parts that are not named keep the rows that the file has.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import torch

from bench.bundled import bundled_sections
from bench.dry_run import REPO, measure_dry_run
from bench.measured import measured
from bench.perturbation import measure_perturbation
from bench.pretraining import measure_pretraining
from bench.scale import bytes_a_spot, make_cohort, paper_sheet
from bench.stages import PAPER, stream
from bench.table import Table

TARGETS = {
    "gemm_fraction_fp32": ">= 0.8",
    "gemm_fraction_bf16": ">= 0.6",
    "pretrain_speedup_fp32": ">= 18",
    "pretrain_speedup_bf16": ">= 45",
    "pretrain_speedup_fp32_tuned": ">= 12",
    "pretrain_speedup_bf16_tuned": ">= 30",
    "perturbation_speedup_10": ">= 300",
    "perturbation_speedup_500": ">= 200",
    "bytes_per_spot": "<= 8734",
    "dryrun_416_s": "<= 10",
    "stream_peak_gb_1m_spots": "<= 4",
}
"""On two cores; a spot is to take at most a hundredth of its 15 dense rows."""


def measure_bytes(table: Table) -> None:
    """Bytes of a spot's files, and of the dense subgraph that the released code writes."""
    with tempfile.TemporaryDirectory() as folder:
        sections = bundled_sections(Path(folder))
        spots = sum(section.n_spots() for section in sections)
        paths = [path for s in sections for path in (s.counts_path, s.graph_path)]
        genes = sections[0].n_genes()
        detail = f"sample and graph, {len(sections)} bundled sections, {spots} spots"
        table.add("bytes_per_spot", bytes_a_spot(paths, spots), "bytes", detail)
    detail = f"15 x {genes} floats, uncompressed"
    table.add("bytes_per_spot_dense", 4 * 15 * genes, "bytes", detail)


def measure_million(distinct: int, table: Table) -> None:
    """Graphs of generated sections, and an epoch of batches of the paper's 416."""
    made = Table()
    with tempfile.TemporaryDirectory() as folder:
        sections, _, graphs = make_cohort(paper_sheet(), distinct, 10_000, Path(folder), made)
        table.add("graph_spots_per_s", graphs, "spots/s", "15 nearest spots, one core")
        epoch = measured(stream, sections, PAPER, sys.maxsize)
    detail = f"{epoch.result} spots, {len(sections)} sections, an epoch of batches, no network"
    table.add("stream_peak_gb_1m_spots", epoch.peak_gb, "GB", detail)


PARTS = {
    "fp32": lambda options, table: measure_pretraining("fp32", options.threads, table),
    "bf16": lambda options, table: measure_pretraining("bf16", options.threads, table),
    "perturbation": lambda options, table: measure_perturbation(table, options.threads),
    "bytes": lambda options, table: measure_bytes(table),
    "dryrun": lambda options, table: measure_dry_run(table),
    "million": lambda options, table: measure_million(options.distinct, table),
}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--distinct", type=int, default=24, help="sections made for the million")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    table = Table(TARGETS)
    for name in options.parts or PARTS:
        PARTS[name](options, table)
        table.write(REPO / "results/bench/bench.tsv")


if __name__ == "__main__":
    main()
