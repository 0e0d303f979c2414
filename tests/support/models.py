"""Models made by tests: a network with the recipe it is used by, in memory or as a run's folder."""

from pathlib import Path

from sagefm.networks.base import GeneDecoder
from sagefm.networks.checkpoint import save_checkpoint
from sagefm.networks.fitted import FittedModel
from sagefm.networks.recipe import ModelRecipe, write_recipe


def fitted(
    network: GeneDecoder, name="gcn", kind="knn_clique", normalisation="log1p", panel=None
) -> FittedModel:
    """A network as a model on a kind of graph; its genes are g0, g1, ... if not given."""
    genes = panel or [f"g{i}" for i in range(network.n_genes)]
    return FittedModel(network, ModelRecipe(genes, name, normalisation, {"kind": kind}))


def save_model(folder: Path, model: FittedModel) -> Path:
    """Write a model as a run leaves it; returns the checkpoint."""
    recipe = model.recipe
    facts = {"network": recipe.network, "normalisation": recipe.normalisation}
    save_checkpoint(folder / "best.pt", model.network, **facts)
    write_recipe(folder / "recipe.json", recipe)
    return folder / "best.pt"
