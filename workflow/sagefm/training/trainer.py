"""Pretraining: hide genes of the central spot, predict them from its neighbourhood.

Everything random is a pure function of (seed, epoch, sample, spot). A run that was stopped and
resumed therefore takes exactly the same steps as an uninterrupted one.
"""

import logging
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.optim import Adam
from torch.optim.lr_scheduler import ReduceLROnPlateau

from sagefm.common.errors import InputError
from sagefm.common.progress import progress_bar
from sagefm.networks.base import WIDTHS, GeneDecoder, build_network, loss
from sagefm.networks.checkpoint import read_checkpoint, save_checkpoint
from sagefm.networks.device import autocast, products
from sagefm.networks.kernels import Kernels, choose
from sagefm.sections.batch import Batch
from sagefm.sections.batches import Batches
from sagefm.sections.masks import FIXED_STREAM
from sagefm.sections.shares import padded
from sagefm.training.evaluation import evaluate
from sagefm.training.parallel.group import Alone
from sagefm.training.parallel.launcher import on_stop
from sagefm.training.progress import Progress
from sagefm.training.running_sums import RunningSums


@dataclass(frozen=True)
class Recipe:
    """Training settings of a network; the defaults are the paper's (released code, 15fe51f).

    `batch_size` is per step, over all devices. `order` is `as_released` (sections shuffled once,
    spots never) or `shuffled`. `validation` is `as_released` (new masks every epoch, loss as the
    mean of batch means) or `fixed` (the same masks, mean over all their entries). `genes` is
    `all_as_in_the_paper` (genes that a section did not measure are targets, with a true value of 0)
    or `measured`. `precision` is `fp32`, `tf32` or `bf16`. `scheduler_patience` 10 acts on the 11th
    bad epoch, so with `patience` 10 training stops before it ever acts; the published values are
    kept.
    """

    network: str = "gcn"
    widths: tuple[int, ...] = WIDTHS
    learning_rate: float = 5e-5
    weight_decay: float = 1e-4
    epochs: int = 200
    batch_size: int = 64
    buffer_spots: int = 16_384
    patience: int = 10
    scheduler_patience: int = 10
    scheduler_factor: float = 0.9
    order: str = "shuffled"
    validation: str = "fixed"
    genes: str = "measured"
    precision: str = "fp32"
    seed: int = 9001


log = logging.getLogger(__name__)


def initial_network(recipe: Recipe, training: Batches, fitted: bool = True) -> GeneDecoder:
    """Build a model's network as it is before its first step.

    Parameters
    ----------
    recipe
        Network, widths and seed.
    training
        Batches of its training sections.
    fitted
        Whether to fit the network's input to them, if it fits any (see `fit_input`).
    """
    n_genes = training.sections[0].n_genes()
    network = build_network(recipe.network, n_genes, recipe.widths, seed=recipe.seed)
    if fitted:
        network.fit_input(training.first_chunk)
    return network


class Preempted(Exception):
    """Training received a stop signal; the state is saved and a restart continues from it."""


class Trainer:
    """Network, optimiser, scheduler and progress of one training run.

    Parameters
    ----------
    recipe
        Network and training settings.
    training, validation
        Batches of these two parts of the split.
    state
        Folder of the resumable state: `state.pt` (the complete state) and `best.pt`.
    save_seconds
        Longest time between two saved states.
    group
        Processes that train together; the first of them saves.
    compiled
        Whether to compile the loss with `torch.compile`.
    start
        Network to start from, such as a trained one. By default, one with fresh weights.
    """

    def __init__(
        self,
        recipe: Recipe,
        training: Batches,
        validation: Batches,
        state: Path,
        *,
        device: torch.device,
        save_seconds: float = 60.0,
        group: Alone | None = None,
        compiled: bool = False,
        start: GeneDecoder | None = None,
    ) -> None:
        self.recipe, self.state, self.device = recipe, state, device
        self.save_seconds, self.group = save_seconds, group or Alone()
        self._loss = torch.compile(loss) if compiled else loss
        resumed = (state / "state.pt").exists()
        fitted = not resumed and self.group.rank == 0
        self.network = (start or initial_network(recipe, training, fitted)).to(device)
        parameters, decay = self.network.parameters(), recipe.weight_decay
        self.optimizer = Adam(parameters, recipe.learning_rate, weight_decay=decay, fused=True)
        self.scheduler = ReduceLROnPlateau(
            self.optimizer, patience=recipe.scheduler_patience, factor=recipe.scheduler_factor
        )
        self.progress, self._saved = Progress(), time.monotonic()
        self._kernels = Kernels()
        # A compiler chooses kernels itself, and bf16 products have only one kernel on a CPU.
        chosen_here = device.type == "cpu" and not compiled and recipe.precision != "bf16"
        if resumed:
            self._resume(chosen_here)
        elif chosen_here:
            rows = -(-training.batch_size // self.group.size)
            self._kernels = Kernels(self.group.from_first(lambda: choose(self.network, rows)))
        self.group.share_weights(self.network)
        self.training = training.filling(self.network.unmeasured)
        self.validation = validation.filling(self.network.unmeasured)
        self._sums = RunningSums(device, loss=self.progress.loss, weight=self.progress.weight)

    def run(self) -> Progress:
        """Train to the end; `state.pt` then has the last and `best.pt` the best checkpoint.

        A recipe with 0 epochs gives only `state.pt`, with the initial network.

        Raises
        ------
        Preempted
            On SIGTERM, SIGINT (Ctrl-C) or SIGUSR1, after saving the state.
        InputError
            If the validation loss becomes NaN or infinite.
        """
        with on_stop(self._on_stop), products(self.recipe.precision), self._kernels:
            while not self._finished():
                self._epoch()
            if self.recipe.epochs == 0:
                self._save("state.pt")
        return self.progress

    @property
    def converged(self) -> bool:
        """Whether validation loss has not fallen for `patience` epochs, which ends training."""
        stale = self.progress.epoch - 1 - self.progress.best_epoch
        return self.progress.best_epoch > 0 and stale >= self.recipe.patience

    def _finished(self) -> bool:
        return self.converged or self.progress.epoch > self.recipe.epochs

    def _epoch(self) -> None:
        progress, recipe = self.progress, self.recipe
        self.network.train()
        started = time.monotonic()
        left = self.training.n_batches - progress.batch
        # The batches have no name, because a reference would keep their sections and threads alive.
        bar = progress_bar(
            padded(
                self.training.epoch(
                    progress.epoch,
                    order=recipe.order,
                    stream=progress.epoch,
                    skip=progress.batch,
                    share=(self.group.rank, self.group.size),
                    device=self.device,
                ),
                left,
            ),
            desc=f"epoch {progress.epoch}",
            initial=progress.batch,
            total=self.training.n_batches,
        )
        before = progress.seconds
        for batch in bar:
            self._step(batch)
            progress.batch += 1
            progress.seconds = before + time.monotonic() - started
            self._save_if_due()
        self._close_epoch()

    def _step(self, batch: Batch | None) -> None:
        """Take one step on this process's share of a batch, or None if the batch is too small."""
        self.optimizer.zero_grad()
        total, weight = torch.zeros(()), torch.zeros(())
        if batch is not None:
            with autocast(self.device, self.recipe.precision):
                total, weight = self._loss(self.network, batch)
        # Sums over the whole batch, since shares differ in their number of hidden entries.
        whole, entries = self.group.sums(total.detach(), weight)
        if batch is not None:
            (total / entries).backward()
        self.group.add_gradients(self.network)
        self.optimizer.step()
        self._sums.add(whole, entries)

    def _close_epoch(self) -> None:
        """Validate, record the epoch, keep the best network, step the scheduler and save."""
        progress, recipe = self.progress, self.recipe
        sums, as_released = self._sums.read(), recipe.validation == "as_released"
        stream = progress.epoch if as_released else FIXED_STREAM
        on = self.network, self.validation, self.device, recipe.precision
        val_loss, val_mse = evaluate(*on, stream=stream, group=self.group, by_batch=as_released)
        if not math.isfinite(val_loss):
            raise InputError(
                f"training diverged: the validation loss of epoch {progress.epoch} is "
                f"{val_loss}. Fix: lower `learning_rate`, or take `precision: fp32`."
            )
        row = {
            "epoch": progress.epoch,
            "train_loss": sums["loss"] / sums["weight"],
            "validation_loss": val_loss,
            "validation_mse": val_mse,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "seconds": round(progress.seconds, 3),
            "spots_per_second": round(sum(self.training.sizes) / progress.seconds, 1),
        }
        progress.history.append(row)
        log.info(
            "epoch %d: training loss %.5f, validation loss %.5f, %.0f spots/s",
            *(row[k] for k in ("epoch", "train_loss", "validation_loss", "spots_per_second")),
        )
        self.scheduler.step(val_loss)
        if improved := val_loss < progress.best_val_loss:
            progress.best_epoch, progress.best_val_loss = progress.epoch, val_loss
        progress.epoch, progress.batch = progress.epoch + 1, 0
        progress.seconds, self._sums = 0.0, RunningSums(self.device, loss=0.0, weight=0.0)
        if improved:
            self._save("best.pt")
        self._save_if_due(self._finished())

    def _save_if_due(self, due: bool = False) -> None:
        stopping = self.group.stopping
        if due or stopping or time.monotonic() - self._saved > self.save_seconds:
            self._save("state.pt")
            self._saved = time.monotonic()
        if stopping:
            raise Preempted

    def _save(self, name: str) -> None:
        if self.group.rank > 0:
            return
        recipe = self.recipe
        save_checkpoint(
            self.state / name,
            self.network,
            optimizer_state_dict=self.optimizer.state_dict(),
            scheduler_state_dict=self.scheduler.state_dict(),
            epoch=len(self.progress.history) - 1,  # counted from 0, as in the released code
            best_val_loss=self.progress.best_val_loss,
            hidden_channels=list(recipe.widths),
            learning_rate=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            mask_percentage=self.training.mask_share,
            batch_size=self.training.batch_size,
            network=recipe.network,
            normalisation=self.training.normalisation,
            progress=asdict(self.progress) | self._sums.read(),
            kernels=self._kernels.chosen,
        )

    def _resume(self, chosen_here: bool) -> None:
        checkpoint = read_checkpoint(self.state / "state.pt")
        self.network.load_state_dict(checkpoint["model_state_dict"])
        self.optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
        self.scheduler.load_state_dict(checkpoint["scheduler_state_dict"])
        self.progress = Progress(**checkpoint["progress"])
        if chosen_here:
            self._kernels = Kernels(checkpoint.get("kernels"))
        log.info("resumed at epoch %d, batch %d", self.progress.epoch, self.progress.batch)

    def _on_stop(self, *_: object) -> None:
        self.group.stop_wanted = True
