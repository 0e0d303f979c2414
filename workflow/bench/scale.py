"""Time, memory and disk of each stage for a million spots, and the resulting prediction.

Sections with the sizes of config/samples/hest.tsv are generated for a part of its samples. The
other samples are links to these, so repeated reads may come from the page cache.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bench.chapters import CHAPTERS
from bench.cohort_files import (
    chosen_rows,
    first_spots,
    link_cohort,
    write_graphs,
    write_samples,
    write_sources,
)
from bench.dry_run import REPO, measure_dry_run
from bench.machine import busy_now, this_machine
from bench.measured import measured
from bench.prediction import H100, Rates, predicted_hours
from bench.stages import PAPER, read, stream, train, validate
from bench.table import Table
from sagefm.common.io import write_table
from sagefm.sections.genes import read_panel
from sagefm.sections.section import Section

SIZES = (50_000, 250_000)
"""Spots of the smaller cohorts with which the whole one is compared."""
RATE = "spots/s"
"""Unit of rates. A second is always a second of one core's processor time."""
CHAPTER_SIZES = (10_000, 30_000)


def paper_sheet() -> pd.DataFrame:
    """Read the spots and genes of the paper's 416 samples."""
    columns = ["sample", "expected_spots", "expected_genes"]
    return pd.read_csv(REPO / "config/samples/hest.tsv", sep="\t", usecols=columns)


def bytes_a_spot(paths: Sequence[Path], spots: int) -> float:
    """Return the size of some files divided by a number of spots."""
    return sum(path.stat().st_size for path in paths) / spots


def make_cohort(
    sheet: pd.DataFrame, distinct: int, counts: float, folder: Path, table: Table
) -> tuple[list[Section], float, float]:
    """Make and link a sheet's sections; return them with the rates of ingestion and graphs."""
    panel = read_panel(REPO / "resources/panel/sagefm_genes.txt")
    bundled = sorted((REPO / "resources/demo/st").glob("*.h5ad"))
    rows = chosen_rows(sheet, distinct)
    sources = write_sources(rows, bundled, panel, counts, folder / "sources")
    spots = int(rows["expected_spots"].sum())
    samples = measured(write_samples, sources, panel, folder)
    about = f"{len(sources)} sections, {spots} spots, the largest of {max(rows['expected_spots'])}"
    table.add("ingest_spots_per_s", spots / samples.seconds, RATE, about)
    table.add("ingest_peak_gb", samples.peak_gb, "GB", about)
    graphs = measured(write_graphs, samples.result, folder)
    table.add("graph_spots_per_s", spots / graphs.seconds, RATE, "15 nearest spots")
    table.add("graph_peak_gb", graphs.peak_gb, "GB")
    stages = {"source": sources, "sample": samples.result, "graph": graphs.result}
    for stage, paths in stages.items():
        table.add(f"{stage}_bytes_per_spot", bytes_a_spot(paths, spots), "bytes")
    genes = len(panel)
    table.add("dense_bytes_per_spot", 4 * 15 * genes, "bytes", f"15 x {genes} floats, uncompressed")
    for source in sources:
        source.unlink()
    sections = link_cohort(
        sheet.sample(frac=1, random_state=0), samples.result, graphs.result, folder
    )
    return sections, spots / samples.seconds, spots / graphs.seconds


def measure_streaming(
    sections: Sequence[Section], batches: int, steps: int, table: Table
) -> tuple[float, float, float, float]:
    """Measure rates of training, evaluation, reading and batching, and memory by cohort size."""
    total = sum(section.n_spots() for section in sections)
    parts = [first_spots(sections, size) for size in SIZES if size < total] + [list(sections)]
    for part in parts:
        name = f"{round(sum(section.n_spots() for section in part) / 1000)}k_spots"
        streamed = measured(stream, part, PAPER, batches)
        detail = f"{len(part)} samples, {streamed.result} spots of an epoch, no network"
        table.add(f"stream_peak_gb_{name}", streamed.peak_gb, "GB", detail)
        table.add(f"stream_spots_per_s_{name}", streamed.result / streamed.seconds, RATE, detail)
        trained = measured(train, part, PAPER, steps)
        detail = f"{len(part)} samples, {steps} steps, fp32, full width"
        table.add(f"train_peak_gb_{name}", trained.peak_gb, "GB", detail)
        table.add(f"train_spots_per_s_{name}", trained.result, RATE, detail)
    evaluation = measured(validate, sections, PAPER, steps).result
    table.add("evaluate_spots_per_s", evaluation, RATE, f"{steps} batches")
    spots, reading, again = measured(read, sections, PAPER, SIZES[0]).result
    table.add("read_spots_per_s", reading, RATE, f"{spots} spots, of the streaming above")
    table.add("kept_spots_per_s", again, RATE, "the same spots once more, kept in memory")
    both = streamed.seconds / streamed.result
    return trained.result, evaluation, again, 1 / (both - 1 / reading)


def measure_chapters(sections: Sequence[Section], table: Table) -> None:
    """Measure how memory grows with the cohort in the chapters that keep data of all of it."""
    # The largest first, so that both parts contain it: it alone sets the memory of one section.
    ordered = sorted(sections, key=lambda section: -section.n_spots())
    parts = [first_spots(ordered, size) for size in CHAPTER_SIZES]
    if len(parts[0]) == len(parts[1]):
        return  # too small a cohort
    small, large = (sum(section.n_spots() for section in part) for part in parts)
    for name, chapter in CHAPTERS.items():
        peaks = [measured(chapter, part).peak_gb for part in parts]
        slope = (peaks[1] - peaks[0]) / (large - small) * 1e6
        detail = f"{peaks[0]:.2f} GB at {small} spots, {peaks[1]:.2f} at {large}"
        table.add(f"{name}_kb_per_spot", slope, "kB/spot", detail)


def main() -> None:
    """Measure, print, and write results/bench/scale.tsv and results/bench/prediction.tsv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=416, help="samples of the cohort")
    parser.add_argument("--distinct", type=int, default=48, help="samples made; others are links")
    parser.add_argument("--counts", type=float, default=10_000, help="median counts per spot")
    parser.add_argument("--batches", type=int, default=16_000, help="batches to stream")
    parser.add_argument("--steps", type=int, default=200, help="training steps")
    options = parser.parse_args()
    table = Table()
    sheet = chosen_rows(paper_sheet(), options.samples)
    spots = int(sheet["expected_spots"].sum())
    where = "; ".join(filter(None, [this_machine(), busy_now()]))
    table.add("machine", 1, "threads", where)
    about = (
        f"{len(sheet)} samples, {options.distinct} of them made, {options.counts:g} counts a spot"
    )
    table.add("cohort_spots", spots, "spots", about)
    measure_dry_run(table)
    with tempfile.TemporaryDirectory() as temporary:
        made = make_cohort(sheet, options.distinct, options.counts, Path(temporary), table)
        sections, ingest, graphs = made
        streaming = measure_streaming(sections, options.batches, options.steps, table)
        measure_chapters(sections, table)
    rates = Rates(ingest, graphs, *streaming)
    predictions = pd.concat(
        [
            predicted_hours(rates, spots, 2).assign(machine="2 CPU cores"),
            predicted_hours(rates, spots, 16, H100).assign(machine="16 CPU cores, one H100"),
        ]
    )
    print(predictions.to_string(index=False))
    table.write(REPO / "results/bench/scale.tsv", whole=True)
    write_table(predictions, REPO / "results/bench/prediction.tsv")


if __name__ == "__main__":
    main()
