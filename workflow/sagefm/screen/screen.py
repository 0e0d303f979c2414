"""Genome-wide screen: raise each gene in the neighbours and read the predictions at the centre.

In all neighbours, the gene goes from its lowest to its highest expression in the cohort. The
response is the change of the prediction at the centre, averaged over a context's spots. As in the
pair experiment, all outputs are hidden at the centre.
"""

import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sagefm.common.progress import progress_bar
from sagefm.common.state import remembered
from sagefm.networks.fitted import FittedModel
from sagefm.networks.perturbed import Collapsed, Neighbourhoods

log = logging.getLogger(__name__)

PROBES = 3
"""Number of timings of a first block. The fastest counts, as the first includes the warm-up."""

CHUNK = 256
"""Number of inputs in a chunk. Finished chunks are kept if the job is killed."""

ROWS = 4096
"""Maximum number of rows of one product."""

VALUES = 2**24
"""Maximum number of values in a product's widest matrix (64 MB). A few are held at once."""


@dataclass(frozen=True)
class ScreenPlan:
    """Inputs and outputs of a screen (int64 columns of the panel), and the inputs' two levels.

    `levels` is float32 (inputs, 2), normalised expression. `contexts` is the number of contexts.
    """

    inputs: Tensor
    levels: Tensor
    outputs: Tensor
    contexts: int


class Screen(ABC):
    """Responses of outputs to inputs, averaged over the spots of each context."""

    plan: ScreenPlan
    n_spots: int
    block: int
    """Number of inputs processed at once: enough to keep the machine busy, yet fit in memory."""
    operations: int
    """Number of floating-point operations done, if they are counted."""

    @abstractmethod
    def respond(self, numbers: Tensor) -> Tensor:
        """Mean responses (contexts, len(numbers), outputs) to the inputs with these numbers."""


class CollapsedScreen(Screen):
    """Screen of a network that collapses: many inputs and spots at once, in the deeper layers only.

    If the neighbours are already at a level, the unperturbed prediction is reused. This is common
    for the lowest level of a rare gene.
    """

    def __init__(
        self,
        model: FittedModel,
        batches: Iterable[tuple[Neighbourhoods, Tensor]],
        plan: ScreenPlan,
    ) -> None:
        assert model.collapsible
        self.network, self.plan, self.operations = model.collapsible, plan, 0
        self.readout = model.readout.only(plan.outputs)
        parts = [
            (batch.hidden, batch.gain, batch.neighbour_mean[:, plan.inputs], own)
            for batch, own in batches
            if isinstance(batch, Collapsed)  # always true for a collapsible network
        ]
        hidden, gain, mean, owner = map(torch.cat, zip(*parts, strict=True))
        own = [owner == context for context in range(plan.contexts)]
        self.states = [(hidden[mine], gain[mine], mean[mine].T) for mine in own]
        self.n_spots = len(hidden)
        layers = [*(weight for weight, _ in self.readout.middle), self.readout.weight]
        self.products = sum(weight.numel() for weight in layers)
        self.rows = max(1, min(ROWS, VALUES // max(max(weight.shape) for weight in layers)))
        self.block = max(1, self.rows // max(len(state[0]) for state in self.states))

    def respond(self, numbers: Tensor) -> Tensor:
        """See `Screen`."""
        weights = self.network.neighbour_weights[:, self.plan.inputs[numbers]].T
        levels = self.plan.levels[numbers].T[..., None]
        responses = []
        for hidden, gain, mean in self.states:
            shift = gain * (levels - mean[numbers])  # (levels, inputs, spots)
            stays = (shift == 0).float()
            response = (stays[1] - stays[0]) @ self.readout(hidden.clone())
            for moved in shift.nonzero().split(self.rows):
                level, number, spot = moved.T
                rows = shift[level, number, spot, None] * weights[number]
                predicted = self.readout(rows.add_(hidden[spot]))
                # For each input: sum over spots at the highest level minus that at the lowest.
                signs = hidden.new_zeros(len(numbers), len(moved))
                signs.scatter_(0, number[None], (2.0 * level - 1)[None])
                response += signs @ predicted
                self.operations += 2 * len(moved) * self.products
            responses.append(response / len(hidden))
        return torch.stack(responses)


class GeneralScreen(Screen):
    """Screen of any other network, which is run in full for each input and level."""

    block = 1
    operations = 0

    def __init__(self, batches: Iterable[tuple[Neighbourhoods, Tensor]], plan: ScreenPlan) -> None:
        self.batches, self.plan = list(batches), plan
        owner = torch.cat([own for _, own in self.batches])
        self.n_spots, self.sizes = len(owner), torch.bincount(owner, minlength=plan.contexts)

    def respond(self, numbers: Tensor) -> Tensor:
        """See `Screen`."""
        outputs = self.plan.outputs
        shape = self.plan.contexts, len(numbers), len(outputs)
        total = torch.zeros(shape, device=outputs.device)
        for batch, own in self.batches:
            for position, number in enumerate(numbers.tolist()):
                gene, levels = int(self.plan.inputs[number]), self.plan.levels[number]
                low, high = batch.respond(gene, levels, outputs)
                total[:, position].index_add_(0, own, high - low)
        return total / self.sizes[:, None, None]


@torch.inference_mode()
def build_screen(
    model: FittedModel, batches: Iterable[tuple[Neighbourhoods, Tensor]], plan: ScreenPlan
) -> Screen:
    """Build the screen of a model.

    `batches` come from `Drawn.neighbourhoods`, with the outputs hidden at the centre. They may be a
    generator: for a network that collapses, only the needed parts are kept.
    """
    if model.collapsible:
        return CollapsedScreen(model, batches, plan)
    return GeneralScreen(batches, plan)


@torch.inference_mode()
def run_screen(screen: Screen, folder: Path) -> np.ndarray:
    """Compute all responses: float32 (contexts, inputs, outputs). The expected time is logged.

    Finished chunks of inputs are kept in `folder` and not computed again.
    """
    log_cost(screen)
    chunks = []
    numbers = torch.arange(len(screen.plan.inputs), device=screen.plan.inputs.device)
    for chunk in progress_bar(numbers.split(CHUNK), desc="screen", unit="chunk"):
        path = folder / f"{int(chunk[0])}.npz"
        chunks.append(remembered(path, partial(_respond_all, screen, chunk))["responses"])
    return np.concatenate(chunks, axis=1)


def _respond_all(screen: Screen, numbers: Tensor) -> dict[str, np.ndarray]:
    blocks = [screen.respond(block).cpu() for block in numbers.split(screen.block)]
    return {"responses": torch.cat(blocks, dim=1).numpy()}


def log_cost(screen: Screen) -> None:
    """Time a first block of inputs, spread over all of them, and log the expected total time."""
    n = len(screen.plan.inputs)
    numbers = torch.linspace(0, n - 1, min(n, screen.block), device=screen.plan.inputs.device)
    seconds, before = [], screen.operations
    for _ in range(PROBES):
        started = time.perf_counter()
        screen.respond(numbers.long()).sum().item()  # `item` waits for the GPU
        seconds.append(time.perf_counter() - started)
    share, giga = n / len(numbers), (screen.operations - before) / PROBES / 1e9
    work = f" ({giga * share:,.0f} GFLOP at {giga / min(seconds):,.0f} GFLOP/s)" if giga else ""
    outputs, spots = len(screen.plan.outputs), screen.n_spots
    took = timedelta(seconds=math.ceil(min(seconds) * share))
    log.info(
        "screen of %d inputs x %d outputs on %d spots: about %s%s", n, outputs, spots, took, work
    )
