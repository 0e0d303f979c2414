"""Names of models for readers, shown instead of their names in the config."""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the registries name models without pandas
    import pandas as pd

NO_TITLES: Mapping[str, str] = MappingProxyType({})
"""Titles for a config whose models have none."""


def model_titles(models: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the reader's name of each model with a title; if models share one, the name is added.

    Parameters
    ----------
    models
        Entries of the config by name.
    """
    titles = {name: entry["title"] for name, entry in models.items() if entry.get("title")}
    times = Counter(titles.values())
    return {
        name: title if times[title] == 1 else f"{title} [{name}]" for name, title in titles.items()
    }


def model_title(name: str, titles: Mapping[str, str] = NO_TITLES) -> str:
    """Return a model's name for readers: its title, or `model NAME` if it has none.

    Parameters
    ----------
    titles
        Titles as returned by `model_titles`.
    """
    return titles.get(name) or f"model {name}"


def name_models(table: "pd.DataFrame", titles: Mapping[str, str]) -> "pd.DataFrame":
    """Replace the names in the column `model` with those for readers, as figures show them."""
    return table.assign(model=[model_title(str(name), titles) for name in table["model"]])
