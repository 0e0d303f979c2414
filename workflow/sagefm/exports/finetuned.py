"""Fine-tune a model on a user's sections, with early stopping on held-out patients."""

import copy
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from anndata import AnnData

from sagefm.common.errors import InputError
from sagefm.common.state import exclusive, state_folder
from sagefm.exports.annotated import fingerprint
from sagefm.exports.labelled import spots_of
from sagefm.exports.prepared import Source, prepared_sections
from sagefm.networks.checkpoint import read_checkpoint, save_checkpoint
from sagefm.networks.fitted import FittedModel
from sagefm.networks.recipe import CHECKPOINT, RECIPE, write_recipe
from sagefm.sections.resident import on_device
from sagefm.sections.section import Section
from sagefm.training.evaluation import evaluate
from sagefm.training.files import publish
from sagefm.training.trainer import Recipe, Trainer

MASK_SHARE = 0.3
"""Share of genes hidden if the checkpoint does not state it: the config's default."""

VALIDATION = 0.2
"""Share of patients whose sections decide when training stops; at least one patient."""

BEFORE = "validation_loss_before"
"""Column of the history with the loss of the original model."""

SLOWER = 10
"""Divisor of the model's own learning rate, used unless a rate is given."""


def finetune(
    adata: AnnData,
    model: FittedModel,
    folder: str | Path,
    *,
    patient: str | None = None,
    library_key: str | None = None,
    layer: str | None = None,
    technology: str | None = None,
    min_overlap: float | None = None,
    epochs: int = 50,
    patience: int = 5,
    learning_rate: float | None = None,
    seed: int = 0,
) -> FittedModel:
    """Fine-tune a model on your sections until the loss on held-out patients stops falling.

    The original model is not changed. If training was interrupted, call the function again with
    the same arguments to resume it.

    Parameters
    ----------
    adata
        Two or more sections with raw counts, as for `embed`.
    model
        A model from `load`.
    folder
        Output folder of the new model: `best.pt` and `recipe.json`, which `load` reads, the last
        checkpoint, the losses by epoch (`history.tsv`) and a summary (`summary.json`).
    patient
        Column of `obs` that names each spot's patient. If not given, each section counts as a
        patient. One patient in five, drawn at random, is held out.
    library_key, layer, technology, min_overlap
        See `embed`.
    epochs, patience
        Maximum number of epochs, and number of epochs without a lower loss after which training
        stops.
    learning_rate
        Learning rate of Adam. Default: a tenth of the rate that the model was trained with.
    seed
        Seed for the held-out patients, the order of spots and the hidden genes.

    Returns
    -------
    FittedModel
        The new model. If training never lowered the loss on held-out patients, it has the weights
        of the original model; `history.tsv` shows the losses.

    Raises
    ------
    InputError
        If the folder already has a model or there are fewer than two sections; see also `embed`.

    Examples
    --------
    >>> adata.obs["slide"] = ["a" if row < 41 else "b" for row in range(82)]
    >>> tuned = sagefm.finetune(adata, model, "tuned", library_key="slide", epochs=1)
    >>> sagefm.load("tuned", device="cpu").genes == tuned.genes
    True
    """
    folder = Path(folder)
    if (folder / CHECKPOINT).exists():
        raise InputError(
            f"{folder} holds a model already. Fix: choose another folder, or delete that one."
        )
    spots = spots_of(adata, label=None, patient=patient, library_key=library_key)
    held_out = validation_sections(spots, seed)
    recipe, mask_share = _recipe(model, epochs, patience, learning_rate, seed)
    source = Source(layer, library_key, technology, min_overlap)
    with prepared_sections(adata, model.recipe, source) as sections:
        parts: tuple[list[Section], list[Section]] = [], []
        for section, _ in sections:
            parts[section.sample in held_out].append(section)
        settings = {
            "mask_share": mask_share,
            "batch_size": recipe.batch_size,
            "buffer_spots": recipe.buffer_spots,
            "seed": seed,
            "every_gene": False,
        }
        plain = [model.batches(part, **settings) for part in parts]
        training, validation = on_device(plain, model.device)
        facts = {**vars(recipe), "mask_share": mask_share, "model": fingerprint(model)}
        every = [*parts[0], *parts[1]]
        files = [path for own in every for path in (own.counts_path, own.graph_path)]
        state = state_folder(folder / "state", facts, files)
        with exclusive(state):
            before, _ = evaluate(model.network, validation, model.device, recipe.precision)
            start = copy.deepcopy(model.network)
            trainer = Trainer(recipe, training, validation, state, device=model.device, start=start)
            trainer.run()
            if not trainer.progress.best_val_loss < before:
                entries = read_checkpoint(state / CHECKPOINT)
                entries = {key: own for key, own in entries.items() if key != "model_state_dict"}
                save_checkpoint(state / CHECKPOINT, model.network, **entries)
            _note_start(trainer, before)
            write_recipe(folder / RECIPE, model.recipe)
            names = {"best": CHECKPOINT, "last": "last.pt", "history": "history.tsv"}
            names["summary"] = "summary.json"
            output = SimpleNamespace(**{key: folder / name for key, name in names.items()})
            publish(trainer, output, torch.get_num_threads())
    return FittedModel.load(folder, model.device, model.precision)


def validation_sections(spots: pd.DataFrame, seed: int) -> set[str]:
    """Draw the patients that decide when training stops, and return their sections.

    With a single patient, sections are drawn instead.

    Parameters
    ----------
    spots
        Table with the columns sample and patient.
    seed
        Seed of the draw.

    Raises
    ------
    InputError
        If there is only one section, or if a section has spots of two patients.
    """
    pairs = spots[["sample", "patient"]].drop_duplicates()
    if pairs["sample"].duplicated().any():
        name = pairs.loc[pairs["sample"].duplicated(), "sample"].iloc[0]
        raise InputError(
            f"section {name} has spots of two patients. Fix: name the column of obs that tells "
            "sections apart, as `library_key`."
        )
    if len(pairs) < 2:
        raise InputError(
            "there is only one section, but training needs at least two: one to train on and one "
            "to decide when to stop. Fix: add a section, and name the column that tells them "
            "apart, as `library_key`."
        )
    groups = pairs["patient" if pairs["patient"].nunique() > 1 else "sample"]
    names = np.random.default_rng(seed).permutation(np.sort(groups.unique().astype(str)))
    chosen = names[: max(1, math.floor(VALIDATION * len(names)))]
    return {*pairs.loc[groups.isin(chosen), "sample"]}


def _recipe(
    model: FittedModel, epochs: int, patience: int, learning_rate: float | None, seed: int
) -> tuple[Recipe, float]:
    """Training recipe and mask share from the model's checkpoint, with the user's changes."""
    known = read_checkpoint(model.checkpoint) if model.checkpoint else {}
    rate = known.get("learning_rate", Recipe.learning_rate) / SLOWER
    share = known.get("mask_percentage", MASK_SHARE)
    recipe = Recipe(
        network=model.recipe.network,
        widths=model.network.widths,
        learning_rate=rate if learning_rate is None else learning_rate,
        weight_decay=known.get("weight_decay", Recipe.weight_decay),
        epochs=epochs,
        batch_size=known.get("batch_size", Recipe.batch_size),
        patience=patience,
        precision=model.precision,
        seed=seed,
    )
    return recipe, float(share)


def _note_start(trainer: Trainer, loss: float) -> None:
    """Add the original model's loss to each epoch of the history."""
    for row in trainer.progress.history:
        row[BEFORE] = loss
