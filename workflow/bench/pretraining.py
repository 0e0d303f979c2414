"""Compare a pretraining step with its bare arithmetic and with the released implementation.

All runs are in one process, on the bundled sections, at full width, with batches of 64.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.optim import Adam, Optimizer

from bench.bundled import bundled_sections
from bench.measured import measured, seconds
from bench.released import subgraphs_of, train_step
from bench.stages import PAPER
from bench.table import Table
from sagefm.networks.device import prepare_machine, products
from sagefm.networks.gcn import Network
from sagefm.networks.kernels import PRODUCTS, Choice, choose
from sagefm.sections.batch import Batch
from sagefm.sections.batches import Batches
from sagefm.sections.section import Section
from sagefm.training.files import batches_of
from sagefm.training.trainer import Recipe, Trainer

EPOCHS = 6
"""Number of epochs. The first warms up and is not counted."""
BUFFER = 1024
"""Spots held in memory. Sections are read during the steps, as for a cohort that does not fit."""
OPTIONS = {"lr": 5e-5, "weight_decay": 1e-4}


class StepTimes(NamedTuple):
    """Seconds per step; `released` and `tuned` are of the released implementation."""

    step: float
    products: float
    optimiser: float
    released: float
    tuned: float


@dataclass(frozen=True)
class Between(Batches):
    """Validation batches that first call `work`; training's own clock is paused meanwhile."""

    work: Callable[[], None] = field(kw_only=True)

    def epoch(self, *arguments, **options) -> Iterator[Batch]:
        """Call `work`, then yield only the first batch of `Batches.epoch`."""
        with torch.inference_mode(False):  # validation runs in this mode
            self.work()
        yield next(super().epoch(*arguments, **options))


def bare_products(genes: int, chosen: Choice) -> Callable[[], None]:
    """Return the matrix products of a step alone, computed by the same kernels as the step."""
    widths = [genes, *PAPER["widths"], genes]
    batch = PAPER["training"]["batch_size"]
    layers = []
    for wide, narrow in pairwise(widths):
        by_onednn = chosen.get(f"{narrow} x {wide}", [])
        kernels = [pair[name in by_onednn] for name, pair in PRODUCTS.items()]
        weight, x, dy = map(torch.randn, ((narrow, wide), (batch, wide), (batch, narrow)))
        layers.append((*kernels, weight, x, dy))

    def work() -> None:
        for output, _, _, weight, x, _ in layers:
            output(x, weight)
        for number, (_, of_x, of_weight, weight, x, dy) in reversed(list(enumerate(layers))):
            of_weight(dy, x)
            if number:  # the input needs no gradient
                of_x(dy, weight)

    return work


def step_times(sections: list[Section], precision: str, threads: int) -> StepTimes:
    """Return medians of the step and of its counterparts, measured in alternation.

    The released implementation with the default allocator runs first, because ours cannot be
    undone.
    """
    torch.set_num_threads(threads)
    genes = sections[0].n_genes()
    model = {**PAPER, "training": {**PAPER["training"], "buffer_spots": BUFFER}}
    training = batches_of(sections, model, "knn_clique", 1)
    subgraphs = subgraphs_of(sections[0], PAPER["training"]["batch_size"])
    network = Network(genes)

    def whole(optimizer: Optimizer) -> None:
        train_step(network, optimizer, subgraphs, PAPER["mask_share"])

    released = Adam(network.parameters(), **OPTIONS)
    times: dict[str, list[float]] = {
        "released": [seconds(lambda: whole(released)) for _ in range(6)][1:]
    }
    tuned = Adam(network.parameters(), **OPTIONS, fused=True)
    device = prepare_machine("cpu", threads)
    # bf16 has only one kernel.
    batch = PAPER["training"]["batch_size"]
    chosen = choose(network, batch) if precision == "fp32" else {}
    counterparts: dict[str, tuple[Callable, int, str]] = {
        "tuned": (lambda: whole(tuned), 3, "fp32"),
        "products": (bare_products(genes, chosen), 20, precision),
        "optimiser": (tuned.step, 20, "fp32"),
    }

    def in_turn() -> None:
        for name, (work, rounds, own) in counterparts.items():
            with products(own):
                times.setdefault(name, []).extend(seconds(work) for _ in range(rounds))

    recipe = Recipe(epochs=EPOCHS, patience=EPOCHS, precision=precision)
    validation = Between(**vars(training), work=in_turn)
    with tempfile.TemporaryDirectory() as state:
        trainer = Trainer(
            recipe, training, validation, Path(state), device=device, save_seconds=1e9
        )
        history = trainer.run().history
    times["step"] = [row["seconds"] / training.n_batches for row in history[1:]]
    return StepTimes(**{name: float(np.median(own)) for name, own in times.items()})


def computes_bf16() -> bool:
    """Whether the library computes a wide product in bf16 on this machine, judged by the result."""
    draw = torch.Generator().manual_seed(1)
    one, other = (torch.randn(512, 512, generator=draw) for _ in range(2))
    with products("fp32"):
        whole = one @ other
    with products("bf16"):
        return not torch.equal(one @ other, whole)


def measure_pretraining(precision: str, threads: int, table: Table) -> None:
    """Add the rows for a precision."""
    names = [f"{name}_{precision}" for name in ("gemm_fraction", "pretrain_speedup")]
    names.append(f"{names[1]}_tuned")
    if precision == "bf16" and not computes_bf16():
        for name in names:
            table.add(name, None, "ratio", "products stay in fp32 on this processor")
        return
    with tempfile.TemporaryDirectory() as folder:
        sections = bundled_sections(Path(folder))
        found: StepTimes = measured(step_times, sections, precision, threads).result
    ms = {name: f"{1e3 * value:.1f} ms" for name, value in found._asdict().items()}
    table.add(
        names[0],
        (found.products + found.optimiser) / found.step,
        "ratio",
        f"products {ms['products']}, fused Adam {ms['optimiser']}, of a step of {ms['step']}, "
        f"reading included; {threads} threads",
    )
    table.add(
        f"step_{precision}",
        1e3 * found.step,
        "ms",
        "a step of 64 spots; limit: its products by the fastest kernels, and fused Adam",
        1e3 * (found.products + found.optimiser),
    )
    table.add(
        names[1],
        found.released / found.step,
        "ratio",
        f"whole subgraphs in fp32, all spots decoded, default Adam: {ms['released']}",
    )
    table.add(
        names[2], found.tuned / found.step, "ratio", f"our allocator, fused Adam: {ms['tuned']}"
    )
