"""Methods by name, and their options from the config, checked before any job starts."""

import typing
from collections.abc import Mapping
from dataclasses import MISSING, field, fields
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from sagefm.common.errors import InputError, hint

METHODS = tuple(
    sorted(
        path.stem
        for path in Path(__file__).parent.glob("*.py")
        if path.stem not in ("__init__", "registry")
    )
)


def option(default: Any, help: str) -> Any:
    """A field of a method's `Options`: its default, and what it means, for the documentation."""
    return field(default=default, metadata={"help": help})


OF_ENTRY = ("method", "cohorts")
"""Keys of an entry that are not its method's options."""


def method_of(name: str, entry: Mapping) -> str:
    """The method of an entry of `representations.methods`: named by `method`, else as the entry."""
    return entry.get("method", name)


def load_method(name: str) -> ModuleType:
    """A method's module.

    Raises
    ------
    InputError
        If there is no such method.
    """
    if name not in METHODS:
        raise InputError(f"no representation method `{name}` is there; {hint(name, METHODS)}.")
    return import_module(f"sagefm.representations.methods.{name}")


def read_options(name: str, entry: Mapping) -> Any:
    """The `Options` of an entry of `representations.methods`.

    Parameters
    ----------
    name, entry
        The entry's name, and its keys from the config.

    Raises
    ------
    InputError
        For an unknown method, an unknown option, or a value of the wrong type.
    """
    where = f"config, at representations.methods.{name}"
    try:
        options = load_method(method_of(name, entry)).Options
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    known = {f.name: kind for f, kind in zip(fields(options), _types(options), strict=True)}
    given = {key: value for key, value in entry.items() if key not in OF_ENTRY}
    for key, value in given.items():
        if key not in known:
            raise InputError(f"{where}: unknown key `{key}`; {hint(key, known, 'known are')}.")
        if not _fits(value, known[key]):
            raise InputError(f"{where}: `{key}` is {value!r}, but takes {_words(known[key])}.")
    try:
        return options(**given)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error


def options_table(name: str) -> list[tuple[str, str, str]]:
    """Name, default and meaning of each option of a method, for the documentation."""
    return [
        (f.name, "" if f.default is MISSING else repr(f.default), f.metadata["help"])
        for f in fields(load_method(name).Options)
    ]


def _types(options: type) -> list[Any]:
    hints = typing.get_type_hints(options)
    return [hints[f.name] for f in fields(options)]


def _alternatives(kind: Any) -> tuple:
    return typing.get_args(kind) or (kind,)


def _fits(value: Any, kind: Any) -> bool:
    """Whether a config's value is of an option's type; an integer serves as a number."""
    if typing.get_origin(kind) is typing.Literal:
        return value in typing.get_args(kind)
    if isinstance(value, bool):
        return bool in _alternatives(kind)
    if isinstance(value, int) and float in _alternatives(kind):
        return True
    return isinstance(value, _alternatives(kind))


def _words(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(map(repr, typing.get_args(kind)))
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    return " or ".join(names.get(one, "null") for one in _alternatives(kind))
