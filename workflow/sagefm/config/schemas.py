"""The schemas of config and sheets, and descriptions in words of what is wrong with an entry."""

import math
import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from sagefm.common.errors import hint

SCHEMAS = Path(__file__).parent

NAMES_OF = "x-names"
"""Keyword in the schema files: the registry module whose names are allowed."""

_TYPES = {
    "array": "a list",
    "object": "a table of keys",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
"""JSON types in words."""

_NAME = "a name of letters, digits, `.`, `_` and `-` that begins with a letter or digit"

_NO_NAME = "^(?!(?i:na|nan|none|null)$)"

PATTERNS = {
    f"{_NO_NAME}[A-Za-z0-9][A-Za-z0-9._-]*$": f"{_NAME}, and is not NA, nan, none or null,",
    f"{_NO_NAME}(?!sagefm-|untrained-)[A-Za-z0-9][A-Za-z0-9._-]*$": (
        f"{_NAME}, not with `sagefm-` or `untrained-`, and is not NA, nan, none or null,"
    ),
    rf"{_NO_NAME}\S(.*\S)?$": "a name, not NA, nan, none or null, without white space around it",
    "^https?://": "an address that begins with http:// or https://",
    "^[0-9a-f]{64}$": "a SHA-256 of 64 digits 0 to 9 and a to f",
    "^(auto|cpu|cuda(:[0-9]+)?)$": "auto, cpu, cuda or cuda:NUMBER",
    "^[0-9]*$": "a whole number",
}
"""The schemas' patterns in words."""

_LIMITS = {
    "minimum": "{} or more",
    "maximum": "{} or less",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
}

_UNQUOTED = (
    "not text to YAML, which reads numbers and dates as such, and on, off, yes and no as true and "
    'false. Fix: put it in quotes, as in "1"'
)

_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")
"""Numbers that YAML may read as text: 5e-5 and 1e5, but not 5.0e-5."""


def _is_whole(_: object, value: object) -> bool:
    """Whether a value is an integer written as one; 1.0 would fail later, in `range`."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(checker: object, value: object) -> bool:
    """Whether a value is a finite number; no limit would apply to NaN."""
    finite = isinstance(value, float) and math.isfinite(value)
    return finite or _is_whole(checker, value)


_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_whole, "number": _is_number}
    ),
)


def plain(number: float | str) -> str:
    """Write a number without exponent, so that YAML never reads it as text."""
    return format(Decimal(str(number)), "f")


def load_schema(name: str) -> dict:
    """Load a schema of this folder by its name without suffix, with complete enums.

    Where values are entries of a registry, the file has `x-names: MODULE`, and the result of that
    module's `names()` is added to the `enum`. The module is imported by name, because registries
    are on floors above this one.
    """
    text = (SCHEMAS / f"{name}.schema.yaml").read_text()
    schema = yaml.load(
        text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )  # in C: ten times faster
    _add_names(schema)
    return schema


def _add_names(schema: object) -> None:
    if isinstance(schema, dict):
        if registry := schema.pop(NAMES_OF, None):
            schema["enum"] = [*schema.get("enum", []), *import_module(registry).names()]
        for inner in schema.values():
            _add_names(inner)


def set_defaults(instance: dict, schema: Mapping) -> None:
    """Fill in defaults for keys that a valid instance leaves out, in place, at every depth."""
    for key, inner in schema.get("properties", {}).items():
        if "default" in inner:
            instance.setdefault(key, deepcopy(inner["default"]))
        if isinstance(instance.get(key), dict):
            set_defaults(instance[key], inner)
    entry = schema.get("additionalProperties")
    if isinstance(entry, Mapping):
        for key in set(instance) - set(schema.get("properties", {})):
            if isinstance(instance[key], dict):
                set_defaults(instance[key], entry)


def first_error(instance: object, schema: dict) -> str | None:
    """Describe the first error of an instance in words, with the nearest allowed name if close.

    Returns
    -------
    str or None
        `at {where}: {what}` for the first error; None if the instance is valid.
    """
    if unnamed := _unquoted_key(instance):
        return unnamed
    errors = _Validator(schema).iter_errors(instance)
    error = min(errors, key=lambda e: (len(e.absolute_path), str(e.absolute_path)), default=None)
    if error is None:
        return None
    where = ".".join(str(part) for part in error.absolute_path) or "the top level"
    return f"at {where}: {_in_words(error)}".replace("\n", "\\n")  # a value may have several lines


def _unquoted_key(instance: object, path: tuple[str, ...] = ()) -> str | None:
    """Describe the first name that YAML does not read as text, if there is one."""
    if isinstance(instance, list):
        entries = [(str(number), entry) for number, entry in enumerate(instance)]
    elif isinstance(instance, Mapping):
        entries = [*instance.items()]
        for key in instance:
            if not isinstance(key, str):
                where = ".".join(path) or "the top level"
                return f"at {where}: the name `{key}` is {_UNQUOTED}"
    else:
        return None
    found = (_unquoted_key(entry, (*path, key)) for key, entry in entries)
    return next(filter(None, found), None)


def _in_words(error: ValidationError) -> str:
    rule, limit, found = error.validator, error.validator_value, error.instance
    if rule == "additionalProperties" and isinstance(error.schema, Mapping):
        known = list(error.schema.get("properties", {}))
        unknown = sorted(set(found) - set(known))[0]
        return f"unknown key `{unknown}`; {hint(unknown, known, 'known are')}"
    if rule == "required":
        missing = next(key for key in limit if key not in found)
        return f"`{missing}` is missing"
    if rule == "enum":
        # Null means that the key is left out, so it is not suggested.
        return f"`{found}` is not one of {', '.join(repr(one) for one in limit if one is not None)}"
    if rule == "type":
        names = [limit] if isinstance(limit, str) else limit
        numeric = {"integer", "number"} & set(names)
        if numeric and isinstance(found, str) and _EXPONENT.fullmatch(found):
            return f"`{found}` is text to YAML, where a number is wanted; write {plain(found)}"
        text = "string" in names and isinstance(found, bool | int | float | date)
        words = _wanted(found, " or ".join(_TYPES[name] for name in names))
        return f"{words}: it is {_UNQUOTED}" if text else words
    if rule in _LIMITS:
        return _wanted(found, _LIMITS[rule].format(limit))
    if rule == "pattern":
        return _wanted(found, PATTERNS[limit])
    if rule in ("minItems", "minLength", "minProperties") and not found:
        return "it is empty"
    if rule in ("minItems", "maxItems"):
        return f"its length is {len(found)}, but {limit} is wanted"
    if rule == "maxLength":
        return f"it has {len(found)} letters, but {limit} at most are wanted"
    if rule == "uniqueItems":
        twice = next(one for number, one in enumerate(found) if one in found[:number])
        return f"`{twice}` is given twice"
    return error.message


def _wanted(found: object, wanted: str) -> str:
    given = "nothing" if found is None or found == "" else f"`{found}`"
    return f"{given} is given, but {wanted} is wanted"
