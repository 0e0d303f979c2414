"""Compare perturbation on the fast path with passing whole subgraphs through PyG.

Both run in one process, on one bundled section, with the network at full width. Their predictions
are checked to be equal. Times are per (spot, gene, level): the best of several alternating rounds.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch

from bench.bundled import bundled_sections
from bench.measured import seconds
from bench.released import predict_all
from bench.table import Table
from sagefm.networks.base import build_network
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.networks.perturbed import neighbourhoods
from sagefm.networks.recipe import ModelRecipe

ROUNDS, SPOTS = 5, 64


def measure_perturbation(table: Table, threads: int, device_name: str = "cpu") -> None:
    """Add the rows for 10 and 500 outputs."""
    device = prepare_machine(device_name, threads)
    rng = np.random.default_rng(0)
    genes = rng.permutation(14_558)
    levels = torch.linspace(0, 3, 5, device=device)
    inputs, outputs = genes[:8], torch.from_numpy(genes[8:508]).to(device)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        (section,) = bundled_sections(Path(folder), ["heart-1"])
        network = build_network("gcn", 14_558, seed=0)
        names = [f"gene {number}" for number in range(14_558)]
        # The network collapses on a clique only.
        collapsed, general = (
            FittedModel(network, ModelRecipe(names, graph={"kind": kind}), device)
            for kind in ("knn_clique", "star")
        )
        rows = rng.permutation(section.n_spots())[:SPOTS]
        hidden = genes[8:508]
        fast, whole = (
            next(neighbourhoods(model, section, rows, hidden, SPOTS))
            for model in (collapsed, general)
        )
        alone = next(neighbourhoods(general, section, rows[:1], hidden))
        error = max(
            float(
                (fast.respond(g, levels, outputs) - whole.respond(g, levels, outputs)).abs().max()
            )
            for g in inputs[:2]
        )
        nodes, edge_index, centre = whole.inputs

        def released() -> torch.Tensor:
            nodes[whole.neighbours, inputs[0]] = levels[0]
            return predict_all(network, nodes, edge_index)[centre][:, outputs]

        square = torch.rand(2048, 2048, device=device)
        best: dict[str, float] = {}
        for _ in range(ROUNDS):
            # `item` waits until the work queued on a GPU is done.
            timed = {
                "alone": seconds(
                    lambda: alone.respond(inputs[0], levels[:1], outputs).sum().item()
                ),
                "product": seconds(lambda: (square @ square)[0, 0].item()),
                "whole": seconds(lambda: whole.respond(inputs[0], levels[:1], outputs).sum().item())
                / len(rows),
                "released": seconds(lambda: released().sum().item()) / len(rows),
            }
            for number in (10, 500):
                timed[f"fast {number}"] = seconds(
                    lambda number=number: [
                        fast.respond(gene, levels, outputs[:number]).sum().item() for gene in inputs
                    ]
                ) / (len(rows) * len(levels) * len(inputs))
            best = {name: min(best.get(name, np.inf), value) for name, value in timed.items()}
    rate = 2 * 2048**3 / best["product"]
    for number in (10, 500):
        took, readout = best[f"fast {number}"], fast.readout.only(outputs[:number])
        layers = [*(weight for weight, _ in readout.middle), readout.weight]
        limit = 2 * sum(layer.numel() for layer in layers) / rate
        table.add(
            f"perturbation_speedup_{number}",
            best["released"] / took,
            "ratio",
            f"{1e6 * took:.1f} us; whole subgraphs (PyTorch Geometric) in one batch of "
            f"{len(rows)} spots {1e3 * best['released']:.2f} ms, all spots decoded, or "
            f"{1e3 * best['whole']:.2f} ms ({best['whole'] / took:.0f} times), the central one "
            f"alone; {1e3 * best['alone']:.2f} ms one by one; the layers' dense products "
            f"{1e6 * limit:.1f} us; largest difference {error:.0e}",
        )
        detail = "a spot, gene and level; limit: the dense products of the layers it passes"
        table.add(f"perturbation_us_{number}", 1e6 * took, "us", detail, 1e6 * limit)
