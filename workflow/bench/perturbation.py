"""Perturbation on the fast path against whole subgraphs passed through PyTorch Geometric.

One run, one bundled section, the network at full width; both give the same predictions, which is
checked. Times are of one (spot, gene, level), the best of several rounds taken in turn.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from sagefm.graphs import build_graph, save_graph
from sagefm.inference import prepare_machine
from sagefm.ingest import ingest
from sagefm.io import write_h5ad
from sagefm.model import build_network
from sagefm.panel import read_panel
from sagefm.perturbation import neighbourhoods
from sagefm.sections import Section, sections_of

RESOURCES = Path(__file__).parents[2] / "resources"
QC = {"in_tissue": True, "min_counts": 1, "min_genes": 1, "max_mito_share": 1.0, "min_spots": 15}


def bundled_section(folder: Path) -> Section:
    """A bundled section harmonised to the panel, with the paper's neighbourhoods."""
    source = RESOURCES / "demo/st/heart-1.h5ad"
    row = {"cohort": "bench", "sample": source.stem}
    panel = read_panel(RESOURCES / "panel/sagefm_genes.txt")
    sample = ingest(source, row, panel, QC, {"duplicates": "first", "min_overlap": 0.5})
    paths = folder / "samples/bench/heart-1.h5ad", folder / "graphs/bench/heart-1.npz"
    write_h5ad(sample, paths[0])
    save_graph(build_graph(sample.obsm["spatial"], "knn_clique", size=15), paths[1])
    return sections_of(paths[:1], paths[1:])[0]


def seconds(work: Callable[[], object]) -> float:
    """Duration of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure, check, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--spots", type=int, default=64)
    options = parser.parse_args()
    device = prepare_machine(options.device, options.threads)
    rng = np.random.default_rng(0)
    genes = rng.permutation(14_558)
    levels = torch.linspace(0, 3, 5, device=device)
    inputs, outputs = genes[:8], torch.from_numpy(genes[8:508]).to(device)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        section = bundled_section(Path(folder))
        network = build_network("gcn", 14_558, seed=0).to(device).eval()
        rows = rng.permutation(section.n_spots())[: options.spots]
        hidden = genes[8:508]
        fast, whole = (
            next(
                neighbourhoods(
                    network, layout, section, rows, "log1p", hidden, device, options.spots
                )
            )
            for layout in ("mean", "subgraphs")
        )
        alone = next(
            neighbourhoods(network, "subgraphs", section, rows[:1], "log1p", hidden, device)
        )
        error = max(
            float(
                (fast.respond(g, levels, outputs) - whole.respond(g, levels, outputs)).abs().max()
            )
            for g in inputs[:2]
        )
        square = torch.rand(2048, 2048, device=device)
        best: dict[str, float] = {}
        for _ in range(options.rounds):
            # Finished at `item`, so that work queued on a GPU is counted.
            timed = {
                "alone": seconds(
                    lambda: alone.respond(inputs[0], levels[:1], outputs).sum().item()
                ),
                "product": seconds(lambda: (square @ square)[0, 0].item()),
                "whole": seconds(lambda: whole.respond(inputs[0], levels[:1], outputs).sum().item())
                / len(rows),
            }
            for number in (10, 500):
                timed[f"fast {number}"] = seconds(
                    lambda number=number: [
                        fast.respond(gene, levels, outputs[:number]).sum().item() for gene in inputs
                    ]
                ) / (len(rows) * len(levels) * len(inputs))
            best = {name: min(best.get(name, np.inf), value) for name, value in timed.items()}
    rate = 2 * 2048**3 / best["product"]
    print(f"{len(rows)} spots, {options.threads} threads, {device}; largest difference {error:.1e}")
    print(f"matrix products: {rate / 1e9:.0f} GFLOP/s")
    print(
        f"whole subgraphs (PyTorch Geometric): {1e3 * best['whole']:.2f} ms in one batch, "
        f"{1e3 * best['alone']:.2f} ms one by one"
    )
    for number in (10, 500):
        took, readout = best[f"fast {number}"], fast.readout.only(outputs[:number])
        layers = [*(weight for weight, _ in readout.middle), readout.weight]
        limit = 2 * sum(layer.numel() for layer in layers) / rate
        print(
            f"fast path, {number} outputs: {1e6 * took:.1f} us, {best['whole'] / took:.0f} times "
            f"faster ({best['alone'] / took:.0f} one by one); the layers' products alone, level by "
            f"level, take {1e6 * limit:.1f} us at that rate"
        )


if __name__ == "__main__":
    main()
