"""Small models for tests: a network with its recipe, in memory or as a run's folder."""

from pathlib import Path

from sagefm.networks.base import GeneDecoder
from sagefm.networks.checkpoint import save_checkpoint
from sagefm.networks.fitted import FittedModel
from sagefm.networks.recipe import ModelRecipe, write_recipe


def fitted(
    network: GeneDecoder, name="gcn", kind="knn_clique", normalisation="log1p", panel=None
) -> FittedModel:
    """Wrap a network as a model on a kind of graph. Default genes: g0, g1, ..."""
    genes = panel or [f"g{i}" for i in range(network.n_genes)]
    return FittedModel(network, ModelRecipe(genes, name, normalisation, {"kind": kind}))


def save_model(folder: Path, model: FittedModel) -> Path:
    """Write a model's folder as a run does, and return the path of its checkpoint."""
    recipe = model.recipe
    facts = {"network": recipe.network, "normalisation": recipe.normalisation}
    save_checkpoint(folder / "best.pt", model.network, **facts)
    write_recipe(folder / "recipe.json", recipe)
    return folder / "best.pt"
