"""Tables of the documentation, made from the schemas, the registries and the code (`make docs`)."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

from sagefm.cohorts.formats import registry as formats
from sagefm.common.errors import InputError, hint
from sagefm.common.text import markdown_rows
from sagefm.config.schemas import load_schema, plain
from sagefm.downloads.sources import registry as sources
from sagefm.networks import registry as networks
from sagefm.report.api_page import api_table
from sagefm.report.messages import messages_table
from sagefm.representations.registry import table_rows

COLUMNS = ("key", "default", "what it is")


def config_table() -> str:
    """Markdown table of every key of the config."""
    rows = _keys(load_schema("config"), "")
    return _markdown(COLUMNS, rows)


def methods_table() -> str:
    """Markdown table of every representation method, with its options."""
    return _markdown(("method, option", "default", "what it is"), table_rows())


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
    rows = []
    for name in sources.names():
        source = sources.load_source(name)
        mirrors = ", ".join(f"`{one}_ENDPOINT`" for one in getattr(source, "ENDPOINTS", {}))
        rows.append((name, source.HELP, _first_line(source), mirrors))
    return _markdown(("source", "address", "what it is", "variable that names a mirror"), rows)


def formats_table() -> str:
    """Markdown table of every format of a section."""
    rows = [
        (name, one.HELP, one.POSITIONS)
        for name, one in ((name, formats.load_format(name)) for name in formats.names())
    ]
    return _markdown(("format", "path_or_id", "positions"), rows)


def makes_table() -> str:
    """Markdown table of a sheet's row for every make of sections, by format."""
    lines = [("what", "columns of its row"), ("---", "---")]
    for name in formats.names():
        for what, row in formats.load_format(name).EXAMPLES.items():
            columns = {"source": "local"} | row
            text = ", ".join(f"{column} `{value}`" for column, value in columns.items())
            lines.append((f"{what} (`{name}`)", text))
    return markdown_rows(lines) + "\n"


def networks_table() -> str:
    """Markdown table of every network."""
    rows = [(name, networks.help_of(name)) for name in networks.names()]
    return _markdown(("network", "what it is"), rows)


TABLES = {
    "samples": samples_table,
    "formats": formats_table,
    "makes": makes_table,
    "sources": sources_table,
    "networks": networks_table,
    "methods": methods_table,
    "config": config_table,
    "api": api_table,
    "messages": messages_table,
}
"""The tables by the name in their marker."""

_PLACE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def fill_tables(text: str) -> str:
    """A text whose tables, each between its two markers, are as they are made now.

    A table NAME is between the lines `<!-- table: NAME -->` and `<!-- end of table -->`.

    Raises
    ------
    InputError
        If a marker names no table.
    """

    def table(found: re.Match) -> str:
        if found[2] not in TABLES:
            raise InputError(f"there is no table `{found[2]}`. Fix: {hint(found[2], TABLES)}.")
        return f"{found[1]}{TABLES[found[2]]()}{found[3]}"

    return _PLACE.sub(table, text)


def _first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").partition("\n")[0]


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


def _markdown(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, ("---",) * len(columns)]
    lines += [(f"`{first}`", *rest) for first, *rest in rows]
    return markdown_rows(lines) + "\n"


def tabled() -> list[Path]:
    """The texts of the repository that have such tables."""
    found = [Path("config/README.md"), *sorted(Path("docs").glob("*.md"))]
    return [path for path in found if _PLACE.search(path.read_text())]


if __name__ == "__main__":
    for document in tabled():
        document.write_text(fill_tables(document.read_text()))
