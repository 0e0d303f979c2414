"""Models that continue another model's training: what their entries leave out is the other's."""

from collections.abc import Mapping
from copy import deepcopy

from sagefm.common.errors import InputError, hint

OWN = ("continues", "title", "training", "compute")
"""Keys that a model which continues another may have itself; of `training` only `epochs`."""


def complete_models(models: dict[str, dict]) -> None:
    """Give each model that continues another what it leaves out, in place.

    Parameters
    ----------
    models
        Entries of `models` by name, valid, defaults not yet filled in.

    Raises
    ------
    InputError
        If an entry names neither cohorts nor a model that it continues, changes more than the
        number of epochs, or continues a model that is unknown, released, or continues it in turn.
    """
    written = deepcopy(models)
    for name, entry in written.items():
        _check_entry(name, entry)
        for before in _chain(name, written):
            inherited = {k: v for k, v in written[before].items() if k != "continues"}
            models[name] = _over(inherited, models[name])


def check_epochs(models: Mapping[str, Mapping]) -> None:
    """Check that each model that continues another is trained for longer.

    Parameters
    ----------
    models
        Entries of `models` by name, complete, defaults filled in.

    Raises
    ------
    InputError
        At the first that is not.
    """
    for name, model in models.items():
        if before := model["continues"]:
            epochs, fewer = (models[one]["training"]["epochs"] for one in (name, before))
            if epochs <= fewer:
                raise InputError(
                    f"config, at models.{name}.training.epochs: {epochs} is not more than the "
                    f"{fewer} of `{before}`, which it continues. Fix: raise it."
                )


def _check_entry(name: str, entry: dict) -> None:
    """Check that an entry begins a model, or changes nothing of the one that it continues."""
    at = f"config, at models.{name}"
    if entry.get("continues") is None:
        if "pretrain_on" not in entry:
            raise InputError(
                f"{at}: `pretrain_on` is missing. Fix: name the cohorts it is trained on, or the "
                "model that it `continues`."
            )
        return
    changed = [key for key in entry if key not in OWN]
    changed += [f"training.{key}" for key in entry.get("training", {}) if key != "epochs"]
    if changed:
        raise InputError(
            f"{at}: a model that continues `{entry['continues']}` has its `{changed[0]}`. Fix: "
            "remove the key, or `continues`."
        )


def _chain(name: str, models: dict[str, dict]) -> list[str]:
    """The models that one continues, the nearest first."""
    chain = [name]
    while before := models[chain[-1]].get("continues"):
        at = f"config, at models.{chain[-1]}.continues"
        if before not in models:
            raise InputError(f"{at}: no model `{before}` is defined; {hint(before, models)}.")
        if before in chain:
            raise InputError(
                f"{at}: `{before}` continues this model in turn. Fix: let one of them begin anew."
            )
        if models[before].get("released"):
            raise InputError(
                f"{at}: `{before}` is released, without the state of its training. Fix: name a "
                "model that is trained here."
            )
        chain.append(before)
    return chain[1:]


def _over(below: dict, above: dict) -> dict:
    """An entry laid over another, their tables key by key."""
    both = deepcopy(below)
    for key, value in above.items():
        nested = isinstance(value, dict) and isinstance(below.get(key), dict)
        both[key] = below[key] | value if nested else value
    return both
