"""Inputs of a training from the config, and its results as files."""

import json
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sagefm.common.io import atomic, write_table
from sagefm.common.text import count
from sagefm.networks.registry import describe
from sagefm.sections.batches import Batches
from sagefm.sections.cache import SectionCache
from sagefm.sections.section import Section
from sagefm.training.evaluation import evaluate, neighbour_mean_mse
from sagefm.training.progress import HISTORY
from sagefm.training.trainer import Recipe, Trainer


def recipe_of(model: dict) -> Recipe:
    """Return the training recipe of a model's config entry."""
    known = {field.name for field in fields(Recipe)}
    values = {"network": model["network"], "widths": tuple(model["widths"]), **model["training"]}
    return Recipe(**{key: value for key, value in values.items() if key in known})


def batches_of(
    sections: list[Section], model: dict, kind: str, workers: int, cache: SectionCache | None = None
) -> Batches:
    """Return batches over some sections, from a model's config entry and its graph's kind."""
    return Batches(
        sections,
        describe(model["network"]).layout(kind),
        model["normalisation"],
        batch_size=model["training"]["batch_size"],
        mask_share=model["mask_share"],
        seed=model["training"]["seed"],
        buffer_spots=model["training"]["buffer_spots"],
        workers=workers,
        every_gene=recipe_of(model).genes != "measured",
        cache=cache or SectionCache(0),
    )


def unmeasured_words(training: Batches) -> str:
    """Describe how many genes are not learnt because some, or all, sections lack them."""
    n_genes, lacking = training.sections[0].n_genes(), len(training.measured)
    fewest = min(int(genes.sum()) for genes in training.measured.values())
    words = (
        f"{lacking} of {count(len(training.sections), 'training section')} did not measure all "
        f"genes of the panel (at least {fewest:,} of {n_genes:,}); what a section did not measure "
        "is not predicted there"
    )
    nowhere = 0
    if lacking == len(training.sections):
        nowhere = n_genes - int(np.logical_or.reduce([*training.measured.values()]).sum())
    return words + (f", so that {count(nowhere, 'gene')} are not learnt" if nowhere else "")


def continue_from(state: Path, best: str | Path = "", last: str | Path = "") -> None:
    """Start a training where another ended: its checkpoints become the state to resume.

    Parameters
    ----------
    state
        Folder of the resumable state; an existing state is kept.
    best, last
        Checkpoints of the other training, as written by `publish`. Without them, nothing is done.
    """
    if not last or (state / "state.pt").exists():
        return
    for source, name in ((best, "best.pt"), (last, "state.pt")):  # last: it triggers resuming
        with atomic(state / name) as temporary:
            shutil.copyfile(source, temporary)


def publish(trainer: Trainer, output: Any, threads: int, devices: int = 1) -> None:
    """Write the results of a finished training, then remove its resumable state.

    `output` has the paths best, last (checkpoints), history (table) and summary (JSON). If the
    process is killed meanwhile, the next start finds the complete state and publishes again.
    """
    history = history_of(trainer)
    write_table(history, output.history)
    with atomic(output.summary) as temporary:
        temporary.write_text(json.dumps(summary(trainer, threads, devices), indent=2) + "\n")
    best = "best.pt" if trainer.progress.best_epoch else "state.pt"  # without epochs, the only one
    for name, path in ((best, output.best), ("state.pt", output.last)):
        with atomic(path) as temporary:
            try:
                temporary.hardlink_to(trainer.state / name)
            except OSError:  # a file system without hard links
                shutil.copyfile(trainer.state / name, temporary)
    shutil.rmtree(Path(trainer.state).parent)


def history_of(trainer: Trainer) -> pd.DataFrame:
    """Return one row per epoch; no rows if the network was not trained."""
    rows = trainer.progress.history
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(HISTORY))


def summary(trainer: Trainer, threads: int, devices: int = 1) -> dict:
    """Summarise a training: data, losses and cost; seconds are those of training steps."""
    history = history_of(trainer)
    seconds = float(history["seconds"].sum())
    if history.empty:
        parts = trainer.network, trainer.validation, trainer.device, trainer.recipe.precision
        loss, mse = evaluate(*parts)
    else:
        loss = trainer.progress.best_val_loss
        mse = history["validation_mse"][trainer.progress.best_epoch - 1]
    on_gpu = trainer.device.type == "cuda"
    return {
        "parameters": sum(p.numel() for p in trainer.network.parameters()),
        "train_samples": len(trainer.training.sections),
        "train_spots": sum(trainer.training.sizes),
        "validation_samples": len(trainer.validation.sections),
        "validation_spots": sum(trainer.validation.sizes),
        "epochs": len(history),
        "best_epoch": trainer.progress.best_epoch,
        "converged": trainer.converged,
        "loss": describe(trainer.recipe.network).loss.name,
        "best_validation_loss": loss,
        "best_validation_mse": mse,
        "validation_mse_neighbour_mean": neighbour_mean_mse(trainer.validation),
        "device": trainer.device.type,
        "devices": devices,
        "threads": threads,
        "seconds": round(seconds, 1),
        "core_hours": None if on_gpu else round(seconds * threads / 3600, 4),
        "gpu_hours": round(seconds * devices / 3600, 4) if on_gpu else None,
    }
