"""Small models on the genes of a bundled section, in folders as a run writes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sagefm.networks.base import build_network
from sagefm.networks.checkpoint import save_checkpoint
from sagefm.networks.recipe import ModelRecipe, write_recipe
from support import helpers

WIDTHS = (32, 16, 32)
MIN_COUNTS = 2000
"""Minimum counts of a spot, chosen so that some spots of the section are removed."""


def small_panel() -> list[str]:
    """A panel of 300 genes: the most abundant ones, and two that no section has."""
    section = helpers.demo_section("heart-1")
    total = np.asarray(section.X.sum(axis=0, dtype=np.int64)).ravel()  # stored unsigned
    order = np.argsort(-total, kind="stable")
    return ["NOGENE1", *section.var_names[order[:298]], "NOGENE2"]


def write_models(folder: Path, genes: Sequence[str], recipes: Mapping[str, Mapping]) -> Path:
    """Write a folder of models, with seeds from 0 on."""
    for seed, (name, recipe) in enumerate(recipes.items()):
        network = build_network(recipe["network"], len(genes), WIDTHS, seed=seed)
        save_checkpoint(folder / name / "best.pt", network, network=recipe["network"])
        harmonise = {"min_overlap": 0.4, "aliases": None}
        qc = {"min_counts": MIN_COUNTS}
        written = ModelRecipe(genes, **recipe, qc=qc, harmonise=harmonise)
        write_recipe(folder / name / "recipe.json", written)
    return folder
