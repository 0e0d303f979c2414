"""Checkpoints in the released format: a dictionary of tensors and plain values, without pickles."""

import pickle
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch

from sagefm.common.errors import InputError
from sagefm.common.io import atomic
from sagefm.networks.base import GeneDecoder, build_network, network_class
from sagefm.networks.registry import DECODER, names


def take_checkpoint(path: str | Path, network: str, n_genes: int, destination: str | Path) -> None:
    """Copy a released checkpoint to `destination` after checking that the network can load it.

    Raises
    ------
    InputError
        If it is not a checkpoint of this network.
    """
    with atomic(destination) as temporary:
        shutil.copyfile(path, temporary)
        try:
            load_network(temporary, network, n_genes)
        except InputError as error:
            raise InputError(str(error).replace(str(temporary), str(path))) from error


def save_checkpoint(path: str | Path, model: GeneDecoder, /, **entries) -> None:
    """Write `model_state_dict` and other entries (tensors, numbers, strings, lists, dicts)."""
    # Through a Python file: torch's own writer hides a full disk behind a RuntimeError.
    with atomic(path) as temporary, temporary.open("wb") as file:
        torch.save({"model_state_dict": model.state_dict(), **entries}, file)


def read_checkpoint(path: str | Path) -> dict:
    """Read a checkpoint, ours or the released one, onto the CPU; no code in it is executed.

    Returns
    -------
    dict
        `model_state_dict` and the entries of `save_checkpoint`. A bare state dict is also accepted.

    Raises
    ------
    InputError
        If the file is missing, truncated, not a checkpoint, or holds more than plain values.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such checkpoint. Fix: correct its path.") from error
    except (RuntimeError, EOFError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: truncated, or not a PyTorch checkpoint. Fix: fetch or train it again."
        ) from error
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: not a checkpoint of plain tensors and values, and not loaded because a "
            "pickle may run code. Fix: save its state dict alone, by `torch.save`."
        ) from error
    for key in STATES:
        if isinstance(checkpoint, dict) and isinstance(checkpoint.get(key), dict):
            return checkpoint | {"model_state_dict": checkpoint[key]}
    if isinstance(checkpoint, dict) and all(map(torch.is_tensor, checkpoint.values())):
        return {"model_state_dict": checkpoint}
    raise InputError(f"{path}: has no `model_state_dict`. Fix: give a SAGE-FM checkpoint.")


def load_network(path: str | Path, network: str, n_genes: int) -> GeneDecoder:
    """Load the network of a checkpoint; its widths come from the weights.

    Raises
    ------
    InputError
        If the checkpoint has another network, panel length or depth.
    """
    state = unwrapped(read_checkpoint(path)["model_state_dict"])
    weights = state.get(f"{DECODER}.weight")
    if weights is None:
        raise InputError(f"{path}: has no `{DECODER}.weight`. Fix: give a SAGE-FM checkpoint.")
    if len(weights) != n_genes:
        raise InputError(
            f"{path}: predicts {len(weights)} genes, but the panel has {n_genes}. "
            "Fix: use the panel the checkpoint was trained on."
        )
    model = build_network(network, n_genes, network_class(network).widths_of(state))
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(
            f"{path}: its weights do not fit a `{network}` network "
            f"({str(error).splitlines()[-1].strip()}). Fix: name the network that was trained; "
            f"there are {', '.join(names())}."
        ) from error
    return model.eval()


WRAPPERS = ("module.", "_orig_mod.", "model.")
"""Prefixes that DistributedDataParallel, `torch.compile` and Lightning add to parameter names."""

STATES = ("model_state_dict", "state_dict")
"""Keys of the weights in the released format and in Lightning's."""


def unwrapped(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a state dict with the prefixes of wrapped networks removed from parameter names."""
    for prefix in WRAPPERS:
        if state and all(name.startswith(prefix) for name in state):
            return unwrapped({name.removeprefix(prefix): own for name, own in state.items()})
    return dict(state)
