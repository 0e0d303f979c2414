"""What a representation method is: the words of its file, its options, and its function."""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from types import ModuleType
from typing import Any

from sagefm.common.errors import InputError, hint
from sagefm.plotting.colours import NEUTRAL

ROLES = {
    "baseline": "The claims name it: a model has to be better.",
    "untrained": "Expression arranged without training: training has to be better.",
    "spatial method": "A published spatial method: clusters are compared with its clusters.",
    "control": "A bound from below, such as depth alone: what is no better has learnt only that.",
    "ceiling": "A bound from above, such as the labels themselves; nothing is compared with it.",
    "input": "The expression itself, not reduced: `other`, and not laid out on the paper's figure.",
    "other": "Scored and drawn beside the others; nothing is compared with it.",
}
"""What a representation is for, by role; comparisons are listed in this order."""

COMPARED = ("baseline", "untrained", "spatial method", "control")
"""Roles that others are compared with."""

BOUNDS = ("control", "ceiling")
"""Roles that bound a score from below and above: in every table, never the best."""

REQUIRED = ("represent", "SPATIAL", "TRANSDUCTIVE")
"""What the file of a method defines at least."""

FLOAT32, FLOAT64 = 4, 8
"""Bytes of a number."""

STACKED_BYTES = 7
"""Of a gene and spot while a cohort's expression is stacked: a quarter detected, at 27 bytes."""

COLOUR = re.compile("#[0-9A-Fa-f]{6}")


@dataclass(frozen=True)
class Description:
    """What tables, figures and claims need of a representation.

    `title` is its name for people, `colour` that of its marks (`#RRGGBB`), `role` one of `ROLES`,
    `spatial` whether a spot's neighbours enter. `in_words` is what it does, where a sentence reads
    "significantly below averaging neighbours".
    """

    title: str
    colour: str = NEUTRAL
    role: str = "other"
    spatial: bool = False
    in_words: str = ""

    def __post_init__(self) -> None:
        """Refuse a colour or role that is none; without words of its own, it goes by its title."""
        if not COLOUR.fullmatch(str(self.colour)):
            raise InputError(
                f"`{self.colour}` is not a colour. Fix: write it as #RRGGBB, such as #AA3377."
            )
        if self.role not in ROLES:
            raise InputError(f"`{self.role}` is not a role of a method; {hint(self.role, ROLES)}.")
        object.__setattr__(self, "in_words", self.in_words or self.title)

    def plain(self) -> dict[str, Any]:
        """Its fields, as a rule's param holds them."""
        return asdict(self)


@dataclass(frozen=True)
class NoOptions:
    """The options of a method that has none."""


@dataclass(frozen=True)
class Method:
    """A method of representing spots.

    Parameters
    ----------
    name
        Of its file.
    description
        What figures and claims need of it.
    help, source
        One sentence on what it does, and where it comes from, with a citation.
    transductive
        Whether it is fitted on the very spots that it represents.
    options
        Dataclass of what the config may set, its fields made by `option`.
    represent
        Of a `Cohort`, options and a seed: values (spots, features), dense or csr, in the order of
        the cohort's samples.
    check
        Of options, a cohort and its samples' names: ends in an `InputError`, before any job starts,
        if the method lacks something there.
    withholds
        Whether it leaves out the genes that a task withholds, as all that reads a `Cohort` does.
    held_bytes
        Of options, spots of a cohort and genes of the panel: bytes that it holds at once, besides
        the program. The request of its job and the check before any job follow from it. None of a
        method that does not say.
    """

    name: str
    description: Description
    help: str
    source: str
    transductive: bool
    options: type
    represent: Callable[[Any, Any, int], Any]
    check: Callable[[Any, str, Sequence[str]], None]
    withholds: bool
    held_bytes: Callable[[Any, int, int], float] | None = None


def stacked_bytes(spots: int, genes: int) -> float:
    """Bytes that the expression of a cohort takes at once while `Cohort.expression` stacks it."""
    return spots * genes * STACKED_BYTES


def option(default: Any, help: str, authors: Any = None) -> Any:
    """A field of a method's `Options`: its default, and what it means, for the documentation.

    `authors` is what the method's authors publish, where that is not the default.
    """
    published = default if authors is None else authors
    return field(default=default, metadata={"help": help, "authors": published})


def method_of_module(module: ModuleType, name: str, title: str, source: str) -> Method:
    """The method that a module describes by its constants.

    Parameters
    ----------
    module
        Has `REQUIRED`; optional are `TITLE`, `SOURCE`, `COLOUR`, `ROLE`, `IN_WORDS`,
        `Options`, `check`, `held_bytes` and `WITHHOLDS`.
    name
        Of its file.
    title, source
        What to take where the module gives none.

    Raises
    ------
    InputError
        At the first that is of the wrong kind.
    """
    if not callable(module.represent):
        raise InputError(
            "`represent` is not a function. Fix: define represent(cohort, options, seed)."
        )
    for constant in ("SPATIAL", "TRANSDUCTIVE"):
        if not isinstance(getattr(module, constant), bool):
            raise InputError(f"{constant} is neither True nor False. Fix: set it to one of them.")
    words = {"TITLE": title, "SOURCE": source}
    for constant in ("TITLE", "SOURCE", "COLOUR", "ROLE", "IN_WORDS"):
        value = getattr(module, constant, words.get(constant, ""))
        if not isinstance(value, str):
            raise InputError(f"{constant} is not text. Fix: write it in quotes.")
        if value:
            words[constant] = value
    options = getattr(module, "Options", NoOptions)
    if not is_dataclass(options):
        raise InputError("`Options` is not a dataclass. Fix: decorate it with @dataclass.")
    source = words.pop("SOURCE")
    return Method(
        name=name,
        description=Description(
            spatial=module.SPATIAL, **{constant.lower(): word for constant, word in words.items()}
        ),
        help=(module.__doc__ or "").strip().partition("\n")[0],
        source=source,
        transductive=module.TRANSDUCTIVE,
        options=options,
        represent=module.represent,
        check=getattr(module, "check", _nothing_to_check),
        withholds=getattr(module, "WITHHOLDS", True),
        held_bytes=getattr(module, "held_bytes", None),
    )


def _nothing_to_check(options: Any, cohort: str, samples: Sequence[str]) -> None:
    """The check of a method that needs nothing but the cohort."""
