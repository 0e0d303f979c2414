"""Recipe of a model: how to prepare a section for it, saved with the model's weights."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from sagefm.common.errors import InputError
from sagefm.common.io import atomic
from sagefm.sections.genes import read_panel

RECIPE, CHECKPOINT = "recipe.json", "best.pt"

PAPER_PANEL = Path(__file__).with_name("sagefm_genes.txt")

BUNDLED = Path(__file__).with_name("bundled")
"""Folder of the models included in the package, one subfolder per model."""


@dataclass(frozen=True)
class ModelRecipe:
    """A model without its weights; defaults are the paper's.

    Attributes
    ----------
    panel
        Gene symbols in the network's order.
    network, normalisation
        As in the model's config entry.
    graph
        Kind of neighbourhood and its sizes: arguments of `neighbourhoods.build_graph`.
    qc, harmonise
        Arguments of `ingest.ingest`: which spots are kept and how genes are mapped to the panel.
    """

    panel: Sequence[str]
    network: str = "gcn"
    normalisation: str = "log1p"
    graph: Mapping = field(default_factory=lambda: {"kind": "knn_clique", "ties": "ball_tree"})
    qc: Mapping = field(default_factory=dict)
    harmonise: Mapping = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind of graph."""
        return self.graph["kind"]


def write_recipe(path: str | Path, recipe: ModelRecipe) -> None:
    """Write a recipe as JSON, with the panel last."""
    facts = asdict(recipe)
    panel = {"panel": list(facts.pop("panel"))}
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(facts | panel, indent=1) + "\n")


def read_recipe(path: str | Path) -> ModelRecipe:
    """Read a recipe written by `write_recipe`.

    Raises
    ------
    InputError
        If the file is missing or not a recipe.
    """
    try:
        facts = json.loads(Path(path).read_text())
        known = {field.name for field in fields(ModelRecipe)}
        if unknown := sorted(set(facts) - known):
            raise InputError(f"{path}: `{unknown[0]}` is not a key of a recipe. Fix: remove it.")
        return ModelRecipe(**facts)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}). Fix: copy it again from the model's run."
        ) from error
    except (TypeError, json.JSONDecodeError) as error:
        raise InputError(
            f"{path}: is not a model's recipe ({error}). Fix: copy it again from the model's run."
        ) from error


def bundled_models() -> list[str]:
    """Return the names of the models included in the package, sorted."""
    return sorted(path.parent.name for path in BUNDLED.glob(f"*/{CHECKPOINT}"))


def find_model(model: str | Path, recipe: ModelRecipe | None = None) -> tuple[Path, ModelRecipe]:
    """Find the checkpoint and the recipe of a model.

    Parameters
    ----------
    model
        A model's folder from `models/` of a run, a checkpoint, or the name of a model included in
        the package (`light`). An existing file or folder of that name takes precedence.
    recipe
        The model's recipe. By default, the one in the checkpoint's folder. A checkpoint without a
        recipe that does not name its network is treated as the authors' released one.

    Raises
    ------
    InputError
        If the checkpoint does not exist, or a required recipe is missing.
    """
    path = Path(model)
    if not path.exists() and str(model) in bundled_models():
        path = BUNDLED / model
    checkpoint = path / CHECKPOINT if path.is_dir() else path
    beside = checkpoint.with_name(RECIPE)
    if not checkpoint.is_file():
        raise InputError(
            f"{checkpoint}: there is no such model. Fix: name a checkpoint, a folder that holds a "
            f"{CHECKPOINT}, such as results/demo/models/paper, or a model that comes with the "
            f"package: {', '.join(bundled_models())}."
        )
    if recipe:
        return checkpoint, recipe
    if beside.is_file():
        return checkpoint, read_recipe(beside)
    from sagefm.networks.checkpoint import read_checkpoint

    if "network" in read_checkpoint(checkpoint):
        raise InputError(
            f"{checkpoint}: {RECIPE}, which holds the genes, normalisation and graph it was "
            f"trained with, is missing beside it. Fix: copy it from the model's folder in its run "
            f"(`snakemake {beside}` writes it), or give a `recipe`."
        )
    return checkpoint, ModelRecipe(read_panel(PAPER_PANEL))
