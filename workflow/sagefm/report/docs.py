"""The tables of `config/README.md`, made from the schemas so that the two cannot part."""

import json
from collections.abc import Iterator, Mapping

from sagefm.config.schemas import load_schema, plain
from sagefm.downloads.sources.registry import REMOTE, load_source
from sagefm.representations.methods.registry import METHODS, load_method, options_table

COLUMNS = ("key", "default", "what it is")


def config_table() -> str:
    """Markdown table of every key of the config."""
    rows = _keys(load_schema("config"), "")
    return _markdown(COLUMNS, rows)


def methods_table() -> str:
    """Markdown table of every representation method, with its options."""
    rows = []
    for name in METHODS:
        method = load_method(name)
        first = (method.__doc__ or "").splitlines()[0]
        rows.append((name, "", f"{first} Source: {method.SOURCE}."))
        rows += [(f"{name}.{key}", f"`{value}`", what) for key, value, what in options_table(name)]
    return _markdown(("method, option", "default", "what it is"), iter(rows))


def samples_table() -> str:
    """Markdown table of every column of a sheet of samples."""
    schema = load_schema("samples")
    required = set(schema["required"])
    rows = (
        (name, "required" if name in required else "optional", _what(about))
        for name, about in schema["properties"].items()
    )
    return _markdown(("column", "", "what it is"), rows)


def sources_table() -> str:
    """Markdown table of every source of sections."""
    rows = [("local", "`PATH`, from the working directory", "A file or folder on this machine.")]
    for name in REMOTE:
        source = load_source(name)
        first = (source.__doc__ or "").splitlines()[0]
        rows.append((name, source.HELP, first))
    return _markdown(("source", "address", "what it is"), iter(rows))


def _keys(schema: Mapping, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Key, default and description of a schema's properties, depth first."""
    required = schema.get("required", [])
    for name, about in schema.get("properties", {}).items():
        default = "required" if name in required else _default(about)
        yield f"{prefix}{name}", default, _what(about)
        yield from _keys(about, f"{prefix}{name}.")
        entry = about.get("additionalProperties")
        if isinstance(entry, Mapping):
            yield from _keys(entry, f"{prefix}{name}.NAME.")


def _default(about: Mapping) -> str:
    if "default" not in about:
        return "-"
    value = about["default"]
    if isinstance(value, float):
        return f"`{plain(value)}`"
    return "" if value == {} else f"`{json.dumps(value)}`"


def _what(about: Mapping) -> str:
    choices = about.get("enum")
    words = about["description"]
    return f"{words} One of {', '.join(f'`{c}`' for c in choices if c)}." if choices else words


def _markdown(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [columns, ("---",) * len(columns)]
    lines += [(f"`{first}`", *rest) for first, *rest in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
