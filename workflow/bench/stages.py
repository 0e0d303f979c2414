"""The stages that the scale bench measures, each on files of a cohort and in one process."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import torch

from sagefm.networks.base import WIDTHS, build_network
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.networks.recipe import ModelRecipe
from sagefm.sections.batch import CPU
from sagefm.sections.batches import Batches
from sagefm.sections.cache import SectionCache
from sagefm.sections.section import Section, load_chunk
from sagefm.training.evaluation import evaluate
from sagefm.training.files import batches_of
from sagefm.training.trainer import Recipe, Trainer

PAPER = {
    "network": "gcn",
    "widths": WIDTHS,
    "normalisation": "log1p",
    "mask_share": 0.3,
    "training": {"batch_size": 64, "seed": 9001, "buffer_spots": 16_384},
}
"""Settings of the paper's model (the config's defaults) on which its batches depend."""


def fresh_model(
    genes: int, widths: tuple[int, ...] = WIDTHS, device: torch.device = CPU
) -> FittedModel:
    """Return the paper's network with fresh weights, as a model of numbered genes."""
    recipe = ModelRecipe([f"gene {number}" for number in range(genes)])
    return FittedModel(build_network("gcn", genes, widths, seed=0), recipe, device)


@dataclass(frozen=True)
class FirstBatches(Batches):
    """The first `limit` batches of every epoch; `clock` has the processor time of each."""

    limit: int = 1
    clock: list[float] = field(default_factory=list)

    @property
    def n_batches(self) -> int:
        """Number of batches per epoch."""
        return min(self.limit, super().n_batches)

    def epoch(self, *arguments, **options):
        """Yield the first batches of `Batches.epoch`."""
        for batch in islice(super().epoch(*arguments, **options), self.limit):
            self.clock.append(time.process_time())
            yield batch

    def rate(self) -> float:
        """Return spots per second of processor time, from the second batch to the last."""
        return self.batch_size * (len(self.clock) - 2) / (self.clock[-1] - self.clock[1])


def limited(sections: Sequence[Section], model: dict, limit: int) -> FirstBatches:
    """Return the first batches of some sections, made as in training."""
    whole = batches_of(list(sections), model, "knn_clique", 1)
    return FirstBatches(**vars(whole), limit=limit)


def stream(sections: Sequence[Section], model: dict, limit: int) -> int:
    """Make the first batches of an epoch of shuffled spots and return their number of spots."""
    prepare_machine("cpu", 1)
    batches = limited(sections, model, limit)
    return sum(len(batch.target) for batch in batches.epoch(1, order="shuffled"))


def read(sections: Sequence[Section], model: dict, limit: int) -> tuple[int, float, float]:
    """Read an epoch's chunks until they hold `limit` spots, then again from memory.

    Returns the number of spots, and spots per second of processor time of the first and second
    reading.
    """
    batches = batches_of(list(sections), model, "knn_clique", 1)
    kept, spots, clock = SectionCache(limit * 1e-4), 0, [time.process_time()]
    for _ in range(2):
        spots = 0
        for group, _ in batches.plan(1, "shuffled"):
            if spots < limit:
                own = [batches.sections[index] for index in group]
                spots += len(load_chunk(own, model["normalisation"], (), kept.read).spots)
        clock.append(time.process_time())
    start, once, twice = clock
    return spots, spots / (once - start), spots / (twice - once)


def train(sections: Sequence[Section], model: dict, steps: int) -> float:
    """Train for some steps on one core and return the rate in spots per second."""
    device = prepare_machine("cpu", 1)
    training = limited(sections, model, steps)
    validation = limited(sections[:1], model, 1)
    with tempfile.TemporaryDirectory() as state:
        recipe = Recipe(model["network"], model["widths"], epochs=1)
        Trainer(recipe, training, validation, Path(state), device=device, save_seconds=1e9).run()
    return training.rate()


def validate(sections: Sequence[Section], model: dict, steps: int) -> float:
    """Evaluate an untrained network on one core and return the rate in spots per second."""
    device = prepare_machine("cpu", 1)
    batches = limited(sections, model, steps)
    network = build_network(model["network"], sections[0].n_genes(), model["widths"], seed=0)
    evaluate(network, batches, device)
    return batches.rate()
