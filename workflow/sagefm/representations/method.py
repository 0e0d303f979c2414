"""Definition of a representation method: the constants of its file, its options, its function."""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from types import ModuleType
from typing import Any

from sagefm.common.errors import InputError, hint
from sagefm.plotting.colours import NEUTRAL

ROLES = {
    "baseline": "Named in the claims: a model must be better.",
    "untrained": "Computed from expression without training: a trained model must be better.",
    "spatial method": "A published spatial method, whose clusters are a reference for others.",
    "control": "A lower bound, such as depth alone, that a useful representation must exceed.",
    "ceiling": "An upper bound, such as the labels themselves; never a reference.",
    "input": "The expression itself: like `other`, but left out of the UMAPs of figure 3.",
    "other": "Scored and drawn with the others, but never a reference.",
}
"""Purpose of a representation, by role; comparisons are listed in this order."""

COMPARED = ("baseline", "untrained", "spatial method", "control")
"""Roles with which others are compared."""

BOUNDS = ("control", "ceiling")
"""Roles that bound a score from below or above: in every table, never the best."""

REQUIRED = ("represent", "SPATIAL", "TRANSDUCTIVE")
"""Names that the file of a method must define."""

FLOAT32, FLOAT64 = 4, 8
"""Bytes per number."""

STACKED_BYTES = 7
"""Bytes per gene and spot while a cohort is stacked: 27 each for the quarter detected."""

COLOUR = re.compile("#[0-9A-Fa-f]{6}")


@dataclass(frozen=True)
class Description:
    """Words and colour of a representation for tables, figures and claims.

    `title` is its display name, `colour` the colour of its marks (`#RRGGBB`), and `role` one of
    `ROLES`. `spatial` states whether it uses a spot's neighbours. `in_words` says what it does, for
    sentences such as "significantly below averaging neighbours".
    """

    title: str
    colour: str = NEUTRAL
    role: str = "other"
    spatial: bool = False
    in_words: str = ""

    def __post_init__(self) -> None:
        """Refuse an invalid colour or role; `in_words` defaults to the title."""
        if not COLOUR.fullmatch(str(self.colour)):
            raise InputError(
                f"`{self.colour}` is not a colour. Fix: write it as #RRGGBB, such as #AA3377."
            )
        if self.role not in ROLES:
            raise InputError(f"`{self.role}` is not a role of a method; {hint(self.role, ROLES)}.")
        object.__setattr__(self, "in_words", self.in_words or self.title)

    def plain(self) -> dict[str, Any]:
        """Return its fields as a dictionary, for a rule's param."""
        return asdict(self)


@dataclass(frozen=True)
class NoOptions:
    """Options of a method without options."""


@dataclass(frozen=True)
class Method:
    """A method that computes a representation.

    Parameters
    ----------
    name
        Name of its file, without the suffix.
    description
        Title, colour and role for figures and claims.
    help, source
        One sentence on what it does, and its source, with a citation.
    transductive
        Whether it is fitted on the spots that it represents.
    options
        Dataclass of the config's settings, with fields made by `option`.
    represent
        Function of a `Cohort`, options and a seed. It returns values (spots, features), dense or
        CSR, in the order of the cohort's samples.
    check
        Function of options, a cohort's name and its samples' names. It runs before any job and
        raises an `InputError` if the method lacks an input.
    withholds
        Whether it excludes the genes that a task withholds, as any method that reads a `Cohort`
        does.
    held_bytes
        Function of options, spots of a cohort and genes of the panel. It returns the peak memory of
        its data in bytes, which sets the memory request of its job and the check before any job.
        None if unknown.
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
    """Return the peak bytes of a cohort's expression while `Cohort.expression` stacks it."""
    return spots * genes * STACKED_BYTES


def option(default: Any, help: str, authors: Any = None) -> Any:
    """Declare a field of a method's `Options`, with its default and a help text for the docs.

    `authors` is the value published by the method's authors, if it differs from the default.
    """
    published = default if authors is None else authors
    return field(default=default, metadata={"help": help, "authors": published})


def method_of_module(module: ModuleType, name: str, title: str, source: str) -> Method:
    """Build the method that a module describes by its constants.

    Parameters
    ----------
    module
        Module that defines `REQUIRED` and optionally `TITLE`, `SOURCE`, `COLOUR`, `ROLE`,
        `IN_WORDS`, `Options`, `check`, `held_bytes` and `WITHHOLDS`.
    name
        Name of its file, without the suffix.
    title, source
        Defaults for a module that defines none.

    Raises
    ------
    InputError
        At the first name with a value of the wrong kind.
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
    """Default check, for a method that needs only the cohort."""
