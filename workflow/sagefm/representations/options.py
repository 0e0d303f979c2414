"""Options of a method, read from the config."""

import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from sagefm.common.errors import InputError, hint


def parse_options(options: type, given: Mapping[str, Any]) -> Any:
    """Build a method's `Options` from the values in the config.

    Raises
    ------
    InputError
        For an unknown or missing option, or a value of the wrong type or out of range.
    """
    known = {f.name: kind for f, kind in zip(fields(options), _types(options), strict=True)}
    for key, value in given.items():
        if key not in known:
            raise InputError(f"unknown key `{key}`; {hint(key, known, 'known are')}.")
        if not _fits(value, known[key]):
            raise InputError(
                f"`{key}` is {value!r}, but takes {_words(known[key])}. Fix: correct it."
            )
    for f in fields(options):
        if f.name not in given and f.default is MISSING and f.default_factory is MISSING:
            raise InputError(f"`{f.name}` is missing. Fix: add it ({_words(known[f.name])}).")
    try:
        return options(**given)
    except ValueError as error:
        raise InputError(str(error)) from error


def _types(options: type) -> list[Any]:
    hints = typing.get_type_hints(options)
    return [hints[f.name] for f in fields(options)]


def _alternatives(kind: Any) -> tuple:
    return typing.get_args(kind) or (kind,)


def _fits(value: Any, kind: Any) -> bool:
    """Return whether a config value has the type of an option; integers are valid numbers."""
    if typing.get_origin(kind) is typing.Literal:
        return value in typing.get_args(kind)
    if isinstance(value, bool):
        return bool in _alternatives(kind)
    if isinstance(value, int) and float in _alternatives(kind):
        return True
    return isinstance(value, _alternatives(kind))


def _words(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Literal:
        values = typing.get_args(kind)
        return " or ".join("null" if value is None else repr(value) for value in values)
    names = {
        int: "a whole number",
        float: "a number",
        str: "text",
        bool: "true or false",
        Mapping: "a table of keys",
        list: "a list",
    }
    return " or ".join(names.get(one, "null") for one in _alternatives(kind))
