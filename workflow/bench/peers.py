"""Time, memory and disk of all representations, on the same spots.

The table includes the methods of config/light.yaml that the claims compare (no controls), with its
options; the models that come with the package; and the paper's network. For models, only the
embedding is measured, not the training. Each runs in a separate process. `--novae` adds Novae,
trained on the spots like the methods.
"""

import argparse
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import pandas as pd
import torch
import yaml

from bench.bundled import RESOURCES
from bench.chapters import cohort_of
from bench.cohort_files import write_samples
from bench.dry_run import REPO
from bench.machine import busy_now, this_machine
from bench.measured import end_with_parent, measured
from sagefm.common.errors import InputError
from sagefm.common.io import read_table, write_table
from sagefm.graphs.neighbourhoods import build_graph, save_graph
from sagefm.networks.base import WIDTHS, build_network
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.networks.recipe import ModelRecipe, bundled_models
from sagefm.representations.catalogue import MODEL
from sagefm.representations.embedding import write_embedding
from sagefm.representations.files import write_representation
from sagefm.representations.method import BOUNDS, COMPARED
from sagefm.representations.registry import load_entry
from sagefm.representations.represent import represent_entry
from sagefm.sections.genes import read_panel
from sagefm.sections.section import Section, sections_of, spot_positions

SIZES = (3_481, 20_000)
"""Numbers of spots: the demo's breast cohort, and copies of its sections up to the second."""

SEED = 0
TABLE = REPO / "results/bench/peers.tsv"
PANEL = RESOURCES / "panel/sagefm_genes.txt"
BY_NOVAE = Path(__file__).with_name("by_novae.py")

Work = Callable[[Sequence[Path], Path], None]
"""Computes the representation of some samples' spots and writes it to a path."""


def tiled(samples: Sequence[Path], spots: int, folder: Path) -> list[Path]:
    """Link to samples in turn, each under a new name, until they have `spots` spots in total."""
    links: list[Path] = []
    reached, turn = 0, 0
    sizes = [len(spot_positions(sample)[0]) for sample in samples]
    while reached < spots:
        number, copy = turn % len(samples), turn // len(samples)
        link = folder / f"samples/bench/{samples[number].stem}-{copy}.h5ad"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(samples[number].resolve())
        links.append(link)
        reached, turn = reached + sizes[number], turn + 1
    return links


def with_graphs(samples: Sequence[Path], graph: Mapping, folder: Path) -> list[Section]:
    """Return samples as sections, each with a graph built by `build_graph` with these arguments."""
    paths = []
    for sample in samples:
        paths.append(folder / f"graphs/{sample.stem}.npz")
        places, array = spot_positions(sample)
        given = {"array": array, "technology": "Spatial Transcriptomics", **graph}
        save_graph(build_graph(places, **given), paths[-1])
    return sections_of(samples, paths)


def by_method(name: str, entry: Mapping, samples: Sequence[Path], path: Path) -> None:
    """Compute an entry of `representations.methods`; see `Work`."""
    graph = {"kind": "knn_clique", "size": 15}
    cohort = cohort_of(with_graphs(samples, graph, path.parent))
    values, facts = represent_entry(name, entry, cohort, SEED)
    write_representation(path, name, cohort, values, facts)


def by_model(name: str, widths: tuple[int, ...], samples: Sequence[Path], path: Path) -> None:
    """Embed with a packaged model or with the paper's network, untrained; see `Work`.

    The cost of embedding does not depend on the weights.
    """
    if name in bundled_models():
        model = FittedModel.load(name)
    else:
        recipe = ModelRecipe(read_panel(PANEL))
        network = build_network(recipe.network, len(recipe.panel), widths, seed=SEED)
        model = FittedModel(network, recipe)
    cohort = cohort_of(with_graphs(samples, model.recipe.graph, path.parent))
    write_embedding(path, name, cohort, model, fitted_here=False)


def by_program(python: str, script: Path, samples: Sequence[Path], path: Path) -> None:
    """Run a script of this folder with a Python of another environment; see `Work`.

    Raises
    ------
    InputError
        If it fails.
    """
    command = [python, str(script), str(path), *map(str, samples)]
    command += ["--threads", str(torch.get_num_threads())]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=end_with_parent)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise InputError(f"{script.name} failed: {lines[-1]}")


def contenders(entries: Mapping[str, Mapping], novae: str) -> Iterator[tuple[str, Work]]:
    """Yield the name of each contender and the function that computes it.

    `novae` is the Python of an environment with Novae; without one, it is left out.
    """
    for name, entry in entries.items():
        role = load_entry(name, entry).description.role
        if role in COMPARED and role not in BOUNDS:
            yield name, partial(by_method, name, entry)
    for name in (*bundled_models(), "paper"):
        yield f"{MODEL}{name}", partial(by_model, name, WIDTHS)
    if novae:
        yield "novae", partial(by_program, novae, BY_NOVAE)


def run_alone(work: Work, samples: Sequence[Path], threads: int, limit: int) -> tuple[float, int]:
    """Return wall-clock seconds and bytes written; this process is ended after `limit` seconds."""
    signal.alarm(limit)
    prepare_machine("cpu", threads)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "representation.h5ad"
        start = time.perf_counter()
        work(samples, path)
        return time.perf_counter() - start, path.stat().st_size


def measure(
    name: str, work: Work, samples: Sequence[Path], spots: int, threads: int, limit: int
) -> dict:
    """Return a row of the table; if the work fails, `detail` has the reason."""
    row = {"representation": name, "spots": spots, "detail": ""}
    try:
        found = measured(run_alone, work, samples, threads, limit, threads=threads)
    except (InputError, ImportError, MemoryError) as error:
        return row | {"detail": str(error)}
    except BrokenProcessPool:
        return row | {"detail": f"ended early: more than {limit} s, or out of memory"}
    seconds, size = found.result
    return row | {
        "seconds": seconds,
        "processor_seconds": found.seconds,
        "peak_gb": found.peak_gb,
        "bytes_per_spot": size / spots,
    }


def merged(rows: Sequence[dict], path: Path) -> pd.DataFrame:
    """Combine rows with those of other representations or sizes in a table, in its order."""
    new = pd.DataFrame(rows)
    if not path.exists():
        return new
    whole = pd.concat([read_table(path), new], ignore_index=True)
    return whole.drop_duplicates(["representation", "spots"], keep="last")


def main() -> None:
    """Measure, print each row, and write results/bench/peers.tsv."""
    entries = yaml.safe_load((REPO / "config/light.yaml").read_text())["representations"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="representations; default: all")
    parser.add_argument("--spots", type=int, nargs="*", default=SIZES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, default=1800, help="most seconds for each")
    parser.add_argument("--novae", default="", help="Python of an environment with novae")
    options = parser.parse_args()
    peers = dict(contenders(entries["methods"], options.novae))
    if unknown := set(options.names) - set(peers):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(peers)}")
    machine = "; ".join(filter(None, [this_machine(), busy_now()]))
    sheet = pd.read_csv(REPO / "config/samples/breast.tsv", sep="\t")
    sources = [RESOURCES / f"demo/st/{sample}.h5ad" for sample in sheet["sample"]]
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        samples = write_samples(sources, read_panel(PANEL), folder)
        for size in options.spots:
            links = tiled(samples, size, folder / str(size))
            spots = sum(len(spot_positions(link)[0]) for link in links)
            for name in options.names or peers:
                row = measure(name, peers[name], links, spots, options.threads, options.limit)
                rows.append(row | {"machine": machine, "threads": options.threads})
                print("\t".join(f"{key} {value}" for key, value in row.items()), flush=True)
                write_table(merged(rows, TABLE), TABLE)


if __name__ == "__main__":
    main()
