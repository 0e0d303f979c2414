"""Check a device against the CPU: results, resuming, speeds and memory, in one table.

`--device cpu` runs the same code without a GPU. The exit status is 1 if a row misses its target.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.optim import Adam

from bench.bundled import bundled_sections
from bench.dry_run import REPO
from bench.machine import this_machine
from bench.parts.screen import measure_section as measure_screen
from bench.table import Table
from sagefm.networks.base import WIDTHS, build_network, loss
from sagefm.networks.device import autocast, prepare_machine, products
from sagefm.networks.fitted import FittedModel
from sagefm.networks.perturbed import neighbourhoods
from sagefm.networks.recipe import ModelRecipe
from sagefm.networks.registry import describe, names
from sagefm.sections.batch import CPU
from sagefm.sections.batches import Batches
from sagefm.sections.resident import ResidentBatches
from sagefm.sections.section import Section, load_chunk
from sagefm.training.trainer import Recipe, Trainer

TOLERANCES = {"fp32": 1e-4, "tf32": 5e-3, "bf16": 3e-2}
"""Largest relative difference from the CPU's fp32 result, in the Euclidean norm."""

BATCHES = (64, 512)
SPOTS, OUTPUTS = 64, 500


def difference(found: Tensor, expected: Tensor) -> float:
    """Return the norm of the difference divided by the norm of the expected values."""
    error = torch.linalg.norm(found.cpu().float() - expected)
    return float(error / torch.linalg.norm(expected))


def model_of(
    sections: Sequence[Section],
    network: str,
    widths: tuple[int, ...],
    device: torch.device,
    precision: str,
) -> FittedModel:
    """Build a model with fresh weights, its input fitted to the sections, equal on every device."""
    genes = sections[0].n_genes()
    recipe = ModelRecipe([f"gene {number}" for number in range(genes)], network=network)
    built = build_network(network, genes, widths, seed=0)
    built.fit_input(lambda: load_chunk(sections, recipe.normalisation))
    return FittedModel(built, recipe, device, precision)


def results(model: FittedModel, section: Section) -> dict[str, Tensor]:
    """Compute embedding, prediction, gradients and a perturbation of some spots."""
    chunk = model.chunk([section])
    rows = np.arange(min(SPOTS, len(chunk.spots)))
    hidden = np.random.default_rng(0).random((len(rows), section.n_genes())) < 0.3
    batch = model.batch(chunk, rows, hidden)
    found = {"embedding": model.embed(batch), "prediction": model.predict(batch)}
    model.network.zero_grad()
    with products(model.precision), autocast(model.device, model.precision):
        total, weight = loss(model.network, batch)
    (total / weight).backward()
    gradients = [p.grad.flatten() for p in model.network.parameters() if p.grad is not None]
    found["gradients"] = torch.cat(gradients)
    if model.collapsible:
        levels = torch.linspace(0, 3, 5, device=model.device)
        genes = torch.arange(1, min(OUTPUTS, section.n_genes()), device=model.device)
        with torch.inference_mode(), products(model.precision):
            part = next(neighbourhoods(model, section, rows, genes.tolist()))
            found["perturbation"] = part.respond(0, levels, genes)
    return found


def check_results(
    sections: Sequence[Section], device: torch.device, widths: tuple[int, ...], table: Table
) -> None:
    """Add rows for each network and precision: largest relative difference from the CPU's fp32."""
    for network in names():
        own = widths if "widths" in describe(network).sizes else ()
        fitted = model_of(sections, network, own, CPU, "fp32")
        expected = results(fitted, sections[0])
        for precision, tolerance in TOLERANCES.items():
            weights = deepcopy(fitted.network)
            model = replace(fitted, network=weights, device=device, precision=precision)
            found = results(model, sections[0])
            for what, value in found.items():
                name = f"{network}_{what}_{precision}"
                table.targets[name] = f"<= {tolerance:g}"
                table.add(name, difference(value, expected[what]), "relative")


def check_resumption(
    sections: Sequence[Section], device: torch.device, widths: tuple[int, ...], table: Table
) -> None:
    """Add rows comparing a training that was stopped and resumed with an uninterrupted one."""
    layout = describe("gcn").layout("knn_clique")
    streamed = Batches(sections, layout, "log1p", batch_size=SPOTS)
    ways = {"": streamed, "resident_": ResidentBatches.of(streamed, device)}
    for way, batches in ways.items():
        weights = []
        for stops in ((2,), (1, 2)):
            with tempfile.TemporaryDirectory() as state:
                for epochs in stops:
                    recipe = Recipe(widths=widths, epochs=epochs, learning_rate=1e-3)
                    run = Trainer(recipe, batches, batches, Path(state), device=device)
                    run.run()
            weights.append([p.detach().cpu() for p in run.network.parameters()])
        apart = max(float((a - b).abs().max()) for a, b in zip(*weights, strict=True))
        table.targets[f"{way}resumption"] = "<= 0"
        detail = "largest difference to a training never stopped"
        table.add(f"{way}resumption", apart, "weight", detail)


def check_batches(sections: Sequence[Section], device: torch.device, table: Table) -> None:
    """Add rows comparing batches made on the device with batches made on the CPU."""
    batches = Batches(sections, "mean", "log1p", batch_size=SPOTS)
    held = ResidentBatches.of(batches, device)
    masks, apart = 0, 0.0
    ways = batches.epoch(1, stream=1), held.epoch(1, stream=1, device=device)
    for streamed, made in zip(*ways, strict=True):
        masks += int((streamed.mask != made.mask.cpu()).sum())
        for one, two in zip(streamed.inputs, made.inputs, strict=True):
            apart = max(apart, difference(two, one))
    table.targets |= {"resident_masks": "<= 0", "resident_inputs": f"<= {TOLERANCES['fp32']:g}"}
    table.add("resident_masks", masks, "entries", "other genes hidden than by the CPU")
    table.add("resident_inputs", apart, "relative", "largest difference to batches of the CPU's")


def spots_per_second(work: Callable[[], int], device: torch.device, limit: float) -> float:
    """Repeat `work`, which returns its number of spots, for `limit` seconds; return spots/s."""

    def finish() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    work()
    finish()
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < limit:
        done += work()
        finish()
    return done / (time.perf_counter() - start)


def measure_speed(
    sections: Sequence[Section],
    device: torch.device,
    widths: tuple[int, ...],
    limit: float,
    table: Table,
) -> None:
    """Add rows for the speed of training (by batch size, precision, batch source) and embedding."""
    section = sections[0]
    for size in BATCHES:
        batches = Batches(sections, "mean", "log1p", batch_size=size, workers=4)
        resident = ResidentBatches.of(batches, device)
        held = next(batches.epoch(1, device=device))
        for precision in TOLERANCES:
            network = model_of(sections, "gcn", widths, device, precision).network.train()
            optimiser = Adam(network.parameters(), 5e-5, weight_decay=1e-4, fused=True)

            def step(batch, precision=precision, network=network, optimiser=optimiser) -> int:
                optimiser.zero_grad()
                with products(precision), autocast(device, precision):
                    total, weight = loss(network, batch)
                (total / weight).backward()
                optimiser.step()
                return len(batch.target)

            name = f"batch_{size}_{precision}"
            rate = spots_per_second(lambda run=step, held=held: run(held), device, limit)
            table.add(f"step_{name}", rate, "spots/s", "one batch on the device, again and again")
            for way, source, maker in (
                ("train", batches, "the CPU as steps go on"),
                ("resident", resident, "the device, which holds the sections"),
            ):
                endless = (b for epoch in cycle([1]) for b in source.epoch(epoch, device=device))
                rate = spots_per_second(lambda run=step, it=endless: run(next(it)), device, limit)
                table.add(f"{way}_{name}", rate, "spots/s", f"batches made by {maker}")
    model = model_of(sections, "gcn", widths, device, "fp32")
    rate = spots_per_second(lambda: sum(map(len, model.embedded_rows(section))), device, limit)
    table.add("embed", rate, "spots/s", "a section, reading included")


def missed(table: Table) -> list[str]:
    """Return the names of rows above their target."""
    limits = {name: float(text.removeprefix("<= ")) for name, text in table.targets.items()}
    return [r["name"] for r in table.rows if not r["value"] <= limits.get(r["name"], np.inf)]


def check(
    sections: Sequence[Section],
    device: torch.device,
    widths: tuple[int, ...],
    limit: float,
    table: Table,
) -> list[str]:
    """Run all checks and return the names of rows that missed their target."""
    named = torch.cuda.get_device_name(device) if device.type == "cuda" else "the CPU"
    table.add("device", device.index or 0, "number", f"{named}; host {this_machine()}")
    check_results(sections, device, widths, table)
    check_resumption(sections, device, widths, table)
    check_batches(sections, device, table)
    measure_speed(sections, device, widths, limit, table)
    measure_screen(sections[0], widths, table, device)
    if device.type == "cuda":
        table.add("peak_gb", torch.cuda.max_memory_allocated(device) / 1e9, "GB", "of the device")
    return missed(table)


def main() -> None:
    """Run the checks, print the table and write results/bench/gpu.tsv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, default=8, help="duration of each speed test")
    options = parser.parse_args()
    device, table = prepare_machine(options.device, options.threads), Table()
    with tempfile.TemporaryDirectory() as folder:
        sections = bundled_sections(Path(folder), ["heart-[123]"])
        failed = check(sections, device, WIDTHS, options.seconds, table)
    table.write(REPO / "results/bench/gpu.tsv", whole=True)
    sys.exit(f"Differs from the CPU by more than allowed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
