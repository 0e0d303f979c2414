"""Title, colour and role of each representation, for tables, figures and claims."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sagefm.common.model_names import model_title
from sagefm.plotting.colours import MODEL_COLOURS, UNTRAINED_COLOUR, model_colours
from sagefm.representations.method import BOUNDS, COMPARED, ROLES, Description
from sagefm.representations.registry import load_method, names

MODEL = "sagefm-"
"""Prefix of the name of a model's embedding: `sagefm-paper`."""

UNTRAINED = "untrained-"
"""Prefix of the name of a model's network before its first step: `untrained-paper`."""


class Catalogue:
    """Descriptions of representations by name, from the registry and from the entries of a run.

    Parameters
    ----------
    entries
        Results of `registry.described` and `describe_models`. An entry's description overrides that
        of a method with the same name. Only entries serve as references; without entries, all
        methods do.
    """

    def __init__(self, entries: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        own = {name: Description(**words) for name, words in (entries or {}).items()}
        self._known = {name: load_method(name).description for name in names()} | own
        self._compared = list(self._known if entries is None else own)

    def __getitem__(self, name: str) -> Description:
        """Describe a representation; an unknown one gets its name and a neutral colour."""
        if name in self._known:
            return self._known[name]
        if is_model(name):
            return _trained(model_title(name.removeprefix(MODEL)), MODEL_COLOURS[0])
        if name.startswith(UNTRAINED):
            return _untrained(model_title(name.removeprefix(UNTRAINED)))
        return Description(name.replace("_", " "))

    def title(self, name: str) -> str:
        """Return a representation's display name: `PCA`, `neighbour mean`, or a model's title."""
        return self[name].title

    def titles(self, chosen: list[str]) -> str:
        """Join several display names for a sentence: `PCA and neighbour mean`."""
        return " and ".join(map(self.title, chosen))

    def colour(self, name: str) -> str:
        """Return a representation's colour: a blue for a model, the method's own otherwise."""
        return self[name].colour

    def is_bound(self, name: str) -> bool:
        """Return whether a representation bounds a score and does not count as a method."""
        return self[name].role in BOUNDS

    def has_all_genes(self, name: str) -> bool:
        """Return whether every gene is a feature of a representation, so that it is far wider."""
        return self[name].role == "input"

    def references(self, *roles: str) -> list[str]:
        """Return representations with which others are compared, of some roles or of all.

        They are in the order of `ROLES`. Within a role, single spots come before spatial ones.
        """
        return self._of_roles(self._compared, roles or COMPARED)

    def baselines(self) -> list[str]:
        """Return the methods named by the claims, including those not in the run."""
        return self._of_roles(self._known, ("baseline",))

    def untrained(self, spatial: bool) -> list[str]:
        """Return untrained representations of single spots, or of neighbourhoods."""
        return [name for name in self.references("untrained") if self[name].spatial == spatial]

    def _of_roles(self, chosen: Iterable[str], roles: Collection[str]) -> list[str]:
        order = list(ROLES)
        found = [name for name in chosen if self[name].role in roles]
        return sorted(
            found, key=lambda name: (order.index(self[name].role), self[name].spatial, name)
        )


def is_model(name: str) -> bool:
    """Return whether a representation is a model's embedding."""
    return name.startswith(MODEL)


def describe_models(models: Iterable[str], titles: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Describe models' embeddings, and their networks before training, as a rule's param.

    Parameters
    ----------
    models
        All models of the config, in its order, which sets their colours.
    titles
        Titles from `model_titles`.
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
"""Catalogue of the registry alone, without the entries of a run."""
