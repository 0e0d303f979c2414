"""What readers see in place of a model's name in the config, which may be that of another thing."""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the registries name models without pandas
    import pandas as pd

NO_TITLES: Mapping[str, str] = MappingProxyType({})
"""Of models that the config gives no titles."""


def model_titles(models: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The name for readers of each model of a config that has one; one that several have, by model.

    Parameters
    ----------
    models
        Entries of the config, by name.
    """
    titles = {name: entry["title"] for name, entry in models.items() if entry.get("title")}
    times = Counter(titles.values())
    return {
        name: title if times[title] == 1 else f"{title} [{name}]" for name, title in titles.items()
    }


def model_title(name: str, titles: Mapping[str, str] = NO_TITLES) -> str:
    """A model's name for readers: its title, or `model NAME` if it has none.

    Parameters
    ----------
    titles
        Of `model_titles`.
    """
    return titles.get(name) or f"model {name}"


def name_models(table: "pd.DataFrame", titles: Mapping[str, str]) -> "pd.DataFrame":
    """A table whose column `model` has the names for readers, as figures show it."""
    return table.assign(model=[model_title(str(name), titles) for name in table["model"]])
