"""Methods by name, and the entries of `representations.methods` that use them.

A method is a file in the folder `methods` or one named in the config. All are read before any job
starts, so this file avoids slow imports.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

from sagefm.common.errors import InputError
from sagefm.common.registry import Registry
from sagefm.plotting.colours import NEUTRAL
from sagefm.representations.method import BOUNDS, REQUIRED, Method, method_of_module
from sagefm.representations.options import parse_options

METHODS = Registry("representations/methods", "representation method", REQUIRED)

OF_ENTRY = ("method", "file", "cohorts", "title", "colour", "role", "source")
"""Keys of an entry that are not options of its method."""

MATRIX = "h5ad"
"""Option that makes an entry use the method `matrix`; a file, or one per cohort."""


def names() -> tuple[str, ...]:
    """Return the names of the methods in the folder `methods`, sorted."""
    return METHODS.names()


def load_method(name: str) -> Method:
    """Load a method from the folder `methods`.

    Raises
    ------
    InputError
        If there is no such method, or its file lacks something.
    """
    return _of_file(METHODS.file(name), name.replace("_", " "))


def _of_file(path: str | Path, title: str) -> Method:
    """Load the method of a Python file; `title` is its display name unless the file sets one."""
    module = METHODS.load_file(path)
    try:
        return method_of_module(module, Path(path).stem, title=title, source=f"own file {path}")
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def method_of(name: str, entry: Mapping) -> str:
    """Return the method of an entry: from `method` or `file`, otherwise the entry's name."""
    return entry.get("file") or entry.get("method", "matrix" if MATRIX in entry else name)


def file_of(name: str, entry: Mapping) -> Path:
    """Return the file whose code computes an entry: the method's, or the user's own."""
    own = entry.get("file")
    return Path(own) if own else METHODS.file(method_of(name, entry))


def load_entry(name: str, entry: Mapping) -> Method:
    """Load the method of an entry of `representations.methods`, with its title, colour and role.

    Without a `title`, an entry with its method's name has the method's title. Any other entry is
    shown by its own name and, without a `colour`, in the neutral colour.

    Raises
    ------
    InputError
        If it names two methods, or one that does not exist or cannot be used.
    """
    where = f"config, at representations.methods.{name}"
    if "file" in entry and (other := next((key for key in ("method", MATRIX) if key in entry), "")):
        raise InputError(f"{where}: both `file` and `{other}` are given. Fix: keep one of them.")
    plain = name.replace("_", " ")
    own = "file" in entry
    try:
        method = _of_file(entry["file"], plain) if own else load_method(method_of(name, entry))
        words = {key: entry[key] for key in ("title", "colour", "role") if key in entry}
        if not own and name != method.name:
            words = {"title": plain, "colour": NEUTRAL} | words
        if "title" in words:
            words["in_words"] = words["title"]
        # For some methods, such as a matrix, the use of neighbours is an option.
        facts = {f.name: entry[f.name] for f in fields(method.options) if f.name in entry}
        spatial = facts.get("spatial", method.description.spatial)
        return replace(
            method,
            description=replace(method.description, spatial=spatial, **words),
            source=entry.get("source", method.source),
            transductive=facts.get("transductive", method.transductive),
        )
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def read_options(name: str, entry: Mapping) -> Any:
    """Read the `Options` of an entry of `representations.methods`.

    Parameters
    ----------
    name, entry
        Name of the entry and its keys from the config.

    Raises
    ------
    InputError
        For an unknown method, an unknown option, or a value of the wrong type.
    """
    options = load_entry(name, entry).options
    given = {key: value for key, value in entry.items() if key not in OF_ENTRY}
    try:
        return parse_options(options, given)
    except InputError as error:
        raise InputError(f"config, at representations.methods.{name}: {error}") from error


def differs(name: str, entry: Mapping) -> str:
    """List options that differ from the authors' published ones: `epochs 300 (authors: 600)`.

    `nothing` if none differ; empty for a method that is not a published one, or whose matrix was
    computed elsewhere, with settings that are not known here.
    """
    if load_entry(name, entry).description.role not in ("baseline", "spatial method"):
        return ""
    options = read_options(name, entry)
    theirs = {f.name: f.metadata.get("authors") for f in fields(options)}
    if MISSING in theirs.values():
        return ""
    own = {name: getattr(options, name) for name in theirs}
    words = [f"{key} {own[key]} (authors: {theirs[key]})" for key in own if own[key] != theirs[key]]
    return ", ".join(words) or "nothing"


def compared_as(chosen: Iterable[str], entries: Mapping[str, Mapping]) -> str:
    """Describe in a caption how compared methods were fitted and set.

    Parameters
    ----------
    chosen
        Names of representations. Those without an entry, and bounds, are left out.
    entries
        Entries of `representations.methods`, by name.
    """
    methods = {name: load_entry(name, entries[name]) for name in chosen if name in entries}
    titles = {
        name: method.description.title
        for name, method in methods.items()
        if method.description.role not in BOUNDS
    }
    fitted = [title for name, title in titles.items() if methods[name].transductive]
    others = [title for title in titles.values() if title not in fitted]
    settings = {title: differs(name, entries[name]) for name, title in titles.items()}
    own = [f"{title}: {words}" for title, words in settings.items() if words not in ("", "nothing")]
    theirs = [title for title, words in settings.items() if words == "nothing"]
    sentences = {
        "Fitted, without labels, on the spots that are scored: ": ", ".join(fitted),
        "Not fitted on them: ": ", ".join(others),
        "Settings that differ from the authors': ": "; ".join(own),
        "Settings of the authors: ": ", ".join(theirs),
    }
    return " ".join(f"{begin}{words}." for begin, words in sentences.items() if words)


def held_bytes(name: str, entry: Mapping, spots: int, genes: int) -> float | None:
    """Return the peak bytes that an entry's method needs for a cohort; None if unknown."""
    held = load_entry(name, entry).held_bytes
    return None if held is None else held(read_options(name, entry), spots, genes)


def reads(name: str, entry: Mapping) -> tuple[str, ...]:
    """Return the inputs of an entry besides expression: `patients`, `labels`, both or none.

    Methods that need any declare them in the attribute `reads` of their `Options`.
    """
    return getattr(read_options(name, entry), "reads", ())


def on_cohort(name: str, entry: Mapping, cohort: str) -> dict[str, Any]:
    """Return an entry for one cohort, with this cohort's file if each has its own.

    Raises
    ------
    InputError
        If the entry has no file for this cohort.
    """
    paths = entry.get(MATRIX)
    if not isinstance(paths, Mapping):
        return dict(entry)
    if cohort not in paths:
        raise InputError(
            f"config, at representations.methods.{name}.{MATRIX}: cohort `{cohort}` has no file. "
            f"Fix: add one, or leave the cohort out of `cohorts`."
        )
    return {**entry, MATRIX: paths[cohort]}


def described(entries: Mapping[str, Mapping]) -> dict[str, dict[str, Any]]:
    """Describe each entry, as a rule's param: input of a `Catalogue`."""
    return {name: load_entry(name, entry).description.plain() for name, entry in entries.items()}


def options_table(name: str) -> list[tuple[str, str, str]]:
    """Return name, default and meaning of each option of a method, for the documentation."""
    return [
        (
            f.name,
            "required" if f.default is MISSING else f"`{f.default!r}`",
            f.metadata.get("help", ""),
        )
        for f in fields(load_method(name).options)
    ]


def table_rows() -> list[tuple[str, str, str]]:
    """Return rows of the documentation's table: method or option, default, meaning."""
    rows = []
    for name in names():
        method = load_method(name)
        rows.append((name, "", f"{method.help} Source: {method.source}."))
        rows += [(f"{name}.{key}", default, what) for key, default, what in options_table(name)]
    return rows
