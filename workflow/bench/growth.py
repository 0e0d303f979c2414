"""Growth of stages with the cohort: processor time and peak memory against spots.

Cohorts consist of generated sections of equal size. Most are links, so repeated reads may come from
the page cache. Each stage runs in a separate process on one thread. A size is skipped if the growth
so far predicts that it would exceed the memory or time limit.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from bench.bundled import RESOURCES
from bench.chapters import cohort_of, gene_means, recovery_alone, representation
from bench.cohort_files import link_cohort, write_graphs, write_samples, write_sources
from bench.dry_run import REPO
from bench.machine import busy_now, this_machine
from bench.measured import measured
from bench.stages import PAPER, fresh_model, stream
from sagefm.common.io import read_table, write_table
from sagefm.networks.device import prepare_machine
from sagefm.representations.embedding import write_embedding
from sagefm.sections.genes import read_panel
from sagefm.sections.section import Section

TABLE = REPO / "results/bench/growth.tsv"
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
SPOTS, GENES = 1_000, 18_085
"""Spots and genes per section."""

DISTINCT, COUNTS = 8, 10_000
"""Number of sections generated, and their median counts per spot."""

Stage = Callable[[Sequence[Section]], object]


def alone(work: Stage, sections: Sequence[Section]) -> None:
    """Run a stage on one thread."""
    prepare_machine("cpu", 1)
    work(sections)


def batches(sections: Sequence[Section]) -> None:
    """Make an epoch of shuffled batches, without a network."""
    stream(sections, PAPER, sys.maxsize)


def embedding(sections: Sequence[Section]) -> None:
    """Compute the embedding of the paper's network and write it as the workflow does."""
    model = fresh_model(sections[0].n_genes())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "embedding.h5ad"
        write_embedding(path, "paper", cohort_of(sections), model, fitted_here=False)


STAGES: dict[str, Stage] = {
    "batches of an epoch": batches,
    "embedding": embedding,
    "mean of each gene": gene_means,
    "recovery": recovery_alone,
    "PCA": partial(alone, partial(representation, "pca")),
    "mean of neighbours": partial(alone, partial(representation, "neighbour_mean")),
    "BANKSY": partial(alone, partial(representation, "banksy")),
    "niche channels": partial(alone, partial(representation, "niche_channels")),
}


def make_sections(number: int, panel: Sequence[str], folder: Path) -> list[Section]:
    """Make `number` sections of `SPOTS` spots: `DISTINCT` are generated, the others are links."""
    names = [f"section-{i}" for i in range(number)]
    sheet = pd.DataFrame({"sample": names, "expected_spots": SPOTS, "expected_genes": GENES})
    bundled = sorted((RESOURCES / "demo/st").glob("*.h5ad"))
    sources = write_sources(sheet[:DISTINCT], bundled, panel, COUNTS, folder / "sources")
    samples = write_samples(sources, panel, folder)
    return link_cohort(sheet, samples, write_graphs(samples, folder), folder)


def expected(rows: Sequence[Mapping], column: str, spots: int) -> float:
    """Extrapolate a column to `spots` from a stage's last two rows; 0 if unknown."""
    if len(rows) < 2:
        return 0.0
    (a, low), (b, high) = ((row["spots"], row[column]) for row in rows[-2:])
    return high + max(high - low, 0) / (b - a) * (spots - b)


def measure(
    name: str,
    work: Stage,
    sections: Sequence[Section],
    sizes: Sequence[int],
    limits: Mapping[str, float],
) -> Iterator[dict]:
    """Yield a row for each size at which a stage is expected to stay within the limits."""
    rows: list[dict] = []
    for size in sizes:
        beyond = [column for column in limits if expected(rows, column, size) > limits[column]]
        if beyond:
            print(f"{name}: {size} spots left out for {' and '.join(beyond)}", flush=True)
            break
        part = sections[: size // SPOTS]
        found = measured(work, part)
        spots = sum(section.n_spots() for section in part)
        row = {"stage": name, "spots": spots, "processor_seconds": found.seconds}
        rows.append(row | {"peak_gb": found.peak_gb})
        print("\t".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
        yield rows[-1]


def merged(rows: Sequence[dict], path: Path) -> pd.DataFrame:
    """Combine rows with those of other stages in an existing table."""
    new = pd.DataFrame(rows)
    if not path.exists():
        return new
    old = read_table(path)
    return pd.concat([old[~old["stage"].isin(new["stage"])], new], ignore_index=True)


def main() -> None:
    """Measure, print each row, and write results/bench/growth.tsv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stages", nargs="*", help=f"any of {', '.join(STAGES)}; default: all")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="spots, ascending")
    parser.add_argument("--gb", type=float, default=8, help="memory limit of a stage")
    parser.add_argument("--seconds", type=float, default=1800, help="time limit of a stage")
    options = parser.parse_args()
    if unknown := set(options.stages) - set(STAGES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(STAGES)}")
    limits = {"peak_gb": options.gb, "processor_seconds": options.seconds}
    machine = "; ".join(filter(None, [this_machine(), busy_now()]))
    panel = read_panel(RESOURCES / "panel/sagefm_genes.txt")
    rows: list[dict] = []
    with tempfile.TemporaryDirectory() as folder:
        sections = make_sections(max(options.sizes) // SPOTS, panel, Path(folder))
        for name in options.stages or STAGES:
            for row in measure(name, STAGES[name], sections, options.sizes, limits):
                rows.append(row | {"machine": machine})
                write_table(merged(rows, TABLE), TABLE)


if __name__ == "__main__":
    main()
