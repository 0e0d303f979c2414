"""Models that continue another model's training and inherit the rest of its entry."""

from collections.abc import Mapping
from copy import deepcopy

from sagefm.common.errors import InputError, hint

OWN = ("continues", "title", "training", "compute")
"""Keys that a continuing model may set itself; of `training`, only `epochs`."""


def complete_models(models: dict[str, dict]) -> None:
    """Fill in, in place, what each continuing model inherits from the model that it continues.

    Parameters
    ----------
    models
        Entries of `models` by name, valid, before defaults are filled in.

    Raises
    ------
    InputError
        If an entry has neither cohorts nor a model to continue, or changes more than the number of
        epochs. Also if the continued model is unknown, released, or part of a cycle.
    """
    written = deepcopy(models)
    for name, entry in written.items():
        _check_entry(name, entry)
        for before in _chain(name, written):
            inherited = {k: v for k, v in written[before].items() if k != "continues"}
            models[name] = _over(inherited, models[name])


def check_epochs(models: Mapping[str, Mapping]) -> None:
    """Check that each continuing model is trained for longer than the model that it continues.

    Parameters
    ----------
    models
        Entries of `models` by name, complete, with defaults filled in.

    Raises
    ------
    InputError
        At the first model that is not.
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
    """Check that an entry starts a model, or changes nothing else of the one that it continues."""
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
    """List the models that a model continues, the nearest first."""
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
    """Merge an entry over another; tables are merged key by key."""
    both = deepcopy(below)
    for key, value in above.items():
        nested = isinstance(value, dict) and isinstance(below.get(key), dict)
        both[key] = below[key] | value if nested else value
    return both
