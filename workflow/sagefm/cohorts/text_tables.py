"""Text tables in any common form: any separator, with or without header, from R or Excel."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from sagefm.cohorts.opening import open_text, reading
from sagefm.common.errors import InputError

SEPARATORS = ("\t", ",", ";", "|")

_WORKBOOKS = ("PK\x03\x04", "\ufffd\ufffd\x11")
"""First characters of both Excel formats, with bytes that are not text replaced."""


@dataclass(frozen=True)
class Layout:
    """Layout of a text table.

    Parameters
    ----------
    separator
        Separator of fields; a regular expression for white space.
    names
        Names of all columns, empty for unnamed row names; no names if there is no header.
    width
        Number of columns, without the empty one caused by a separator at line ends.
    skipped
        Number of lines before the table.
    comma
        Whether numbers have a decimal comma.
    """

    separator: str
    names: tuple[str, ...]
    width: int
    skipped: int = 0
    comma: bool = False


def find_layout(path: Path, header: bool | None = None) -> Layout:
    """Detect a table's layout from its first two lines, after empty lines and comments.

    Parameters
    ----------
    path
        Path of a file, plain or gzipped, UTF-8 or UTF-16, with or without a byte order mark.
    header
        Whether the first line is a header. By default it is one if none of its fields is a number.

    Raises
    ------
    InputError
        If the file is empty or damaged.
    """
    with reading(path, "a table"), open_text(path) as file:
        skipped, lines = _first_lines(file)
    if not lines:
        raise InputError(f"{path}: is empty. Fix: fetch or make the file again.")
    if lines[0].startswith(_WORKBOOKS):
        raise InputError(
            f"{path}: is a workbook or an archive, not a table. Fix: save it as text with tabs."
        )
    if lines[0].lstrip().lower().startswith(("<!doctype", "<html")):
        raise InputError(f"{path}: is a web page, not a table. Fix: fetch the file again.")
    separator = next((mark for mark in SEPARATORS if mark in lines[0]), r"\s+")
    try:
        first, *others = ([field.strip() for field in _fields(line, separator)] for line in lines)
    except csv.Error as error:  # a field is longer than any name
        raise InputError(
            f"{path}: its columns are not separated by tabs, commas, semicolons, `|` or white "
            "space. Fix: write it again with tabs."
        ) from error
    if header is None:
        header = not any(map(_is_number, first))
    if header and not others:
        raise InputError(f"{path}: has a header and no rows. Fix: fetch or make the file again.")
    below = others[0] if others else first
    while len(below) > 1 and not below[-1] and len(below) > len(first) - header:
        below = below[:-1]  # a separator at the end of the line
    comma = separator == ";" and any("," in line for line in lines[header:])
    if not header:
        return Layout(separator, (), len(below), skipped, comma)
    while len(first) > len(below) and not first[-1]:
        first = first[:-1]
    # R leaves out both the name of the column of row names and its separator.
    names = ("", *first) if len(below) == len(first) + 1 else tuple(first)
    return Layout(separator, names, len(names), skipped, comma)


def _first_lines(file: TextIO) -> tuple[int, list[str]]:
    """Return the number of empty or comment lines before a table, and the two lines after them."""
    lines: list[str] = []
    start = 0
    for number, line in enumerate(file):
        if not line.strip() or (not lines and _COMMENT.match(line)):
            continue
        if lines:
            return start, [lines[0], line]
        start, lines = number, [line]
    return start, lines


_COMMENT = re.compile(r"#[^\t,;|]*$|sep=.$")
"""Pattern of a line before a table: a comment, or a spreadsheet's note of its separator."""


def read_text_table(
    path: Path, layout: Layout, chunk: int | None = None, **options: Any
) -> Iterator[pd.DataFrame]:
    """Yield a table's rows in one or several parts, with numbered columns.

    Parameters
    ----------
    chunk
        Number of rows per part; all if not given.
    options
        Options of `pandas.read_csv`.

    Raises
    ------
    InputError
        If the file is damaged, or its lines differ in length.
    """
    with reading(path, "a table"), open_text(path) as file:
        for _ in range(layout.skipped + bool(layout.names)):
            file.readline()
        table = pd.read_csv(
            file,
            sep=layout.separator,
            header=None,
            index_col=False,
            usecols=range(layout.width),
            skipinitialspace=True,
            decimal="," if layout.comma else ".",
            chunksize=chunk,
            **options,
        )
        yield from [table] if chunk is None else table


def _fields(line: str, separator: str) -> list[str]:
    line = line.rstrip("\r\n")
    if separator not in SEPARATORS:
        line, separator = " ".join(line.split()), " "
    return next(csv.reader([line], delimiter=separator))


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
