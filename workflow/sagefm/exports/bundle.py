"""Write a trained model as the repository ships it: float16 weights and a recipe."""

import sys
from pathlib import Path

import torch

from sagefm.common.io import atomic, sha256
from sagefm.networks.fitted import FittedModel
from sagefm.networks.recipe import CHECKPOINT, RECIPE, write_recipe


def bundle(model: str | Path, folder: str | Path) -> str:
    """Write a model's weights (float16) and recipe into a folder, ready for `sagefm.load`.

    Parameters
    ----------
    model
        A model, as for `sagefm.load`.
    folder
        Output folder, created if missing. Its `best.pt` and `recipe.json` are replaced.

    Returns
    -------
    str
        SHA-256 of the weights file, the same for the same weights.

    Raises
    ------
    InputError
        If the model does not exist.
    """
    fitted, folder = FittedModel.load(model), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.half() for name, value in fitted.network.state_dict().items()}
    with atomic(folder / CHECKPOINT) as temporary, temporary.open("wb") as file:
        torch.save({"model_state_dict": state, "network": fitted.recipe.network}, file)
    write_recipe(folder / RECIPE, fitted.recipe)
    return sha256(folder / CHECKPOINT)


if __name__ == "__main__":
    print(bundle(*sys.argv[1:]))
