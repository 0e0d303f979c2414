"""What each representation is called, its colour and its role, for tables, figures and claims."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sagefm.common.model_names import model_title
from sagefm.plotting.colours import MODEL_COLOURS, UNTRAINED_COLOUR, model_colours
from sagefm.representations.method import BOUNDS, COMPARED, ROLES, Description
from sagefm.representations.registry import load_method, names

MODEL = "sagefm-"
"""Begins the name of a model's embedding: `sagefm-paper`."""

UNTRAINED = "untrained-"
"""Begins the name of a model's network before its first step: `untrained-paper`."""


class Catalogue:
    """Descriptions of representations by name: the registry's, and those of a run's entries.

    Parameters
    ----------
    entries
        Of `registry.described` and `describe_models`: an entry's description comes before that of
        a method of its name, and nothing is compared with what is no entry. If not given, all
        methods are.
    """

    def __init__(self, entries: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        own = {name: Description(**words) for name, words in (entries or {}).items()}
        self._known = {name: load_method(name).description for name in names()} | own
        self._compared = list(self._known if entries is None else own)

    def __getitem__(self, name: str) -> Description:
        """The description of any representation; one unknown goes by its name, in neutral."""
        if name in self._known:
            return self._known[name]
        if is_model(name):
            return _trained(model_title(name.removeprefix(MODEL)), MODEL_COLOURS[0])
        if name.startswith(UNTRAINED):
            return _untrained(model_title(name.removeprefix(UNTRAINED)))
        return Description(name.replace("_", " "))

    def title(self, name: str) -> str:
        """A representation's name for people: `PCA`, `neighbour mean`, a model's title."""
        return self[name].title

    def titles(self, chosen: list[str]) -> str:
        """Several names in a sentence: `PCA and neighbour mean`."""
        return " and ".join(map(self.title, chosen))

    def colour(self, name: str) -> str:
        """A representation's colour: a blue for a model, its own for a method."""
        return self[name].colour

    def is_bound(self, name: str) -> bool:
        """Whether a representation bounds what a score can be, and is no method."""
        return self[name].role in BOUNDS

    def references(self, *roles: str) -> list[str]:
        """Representations that others are compared with, of some roles or of all.

        In the order of `ROLES`; within one, those of single spots come before spatial ones.
        """
        return self._of_roles(self._compared, roles or COMPARED)

    def baselines(self) -> list[str]:
        """The methods that the claims name, those that the run lacks among them."""
        return self._of_roles(self._known, ("baseline",))

    def untrained(self, spatial: bool) -> list[str]:
        """Untrained representations: of single spots, or of neighbourhoods."""
        return [name for name in self.references("untrained") if self[name].spatial == spatial]

    def _of_roles(self, chosen: Iterable[str], roles: Collection[str]) -> list[str]:
        order = list(ROLES)
        found = [name for name in chosen if self[name].role in roles]
        return sorted(
            found, key=lambda name: (order.index(self[name].role), self[name].spatial, name)
        )


def is_model(name: str) -> bool:
    """Whether a representation is a model's embedding."""
    return name.startswith(MODEL)


def describe_models(models: Iterable[str], titles: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Descriptions of models' embeddings and of their networks before training, as a rule's param.

    Parameters
    ----------
    models
        All of the config, in its order, which is that of their colours.
    titles
        Of `model_titles`.
    """
    found = {}
    for name, colour in model_colours(models).items():
        title = model_title(name, titles)
        found[f"{MODEL}{name}"] = _trained(title, colour).plain()
        found[f"{UNTRAINED}{name}"] = _untrained(title).plain()
    return found


def _trained(title: str, colour: str) -> Description:
    return Description(title, colour, spatial=True)


def _untrained(title: str) -> Description:
    return Description(f"untrained {title}", UNTRAINED_COLOUR, "control", spatial=True)


REGISTERED = Catalogue()
"""The catalogue of the registry alone, without entries of a run."""
