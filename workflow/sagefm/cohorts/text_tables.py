"""Tables of text as people keep them: any separator, with or without a header, from R or Excel."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sagefm.cohorts.opening import is_gzipped, reading
from sagefm.common.errors import InputError

SEPARATORS = ("\t", ",", ";")


@dataclass(frozen=True)
class Layout:
    """How a table of text is laid out.

    Parameters
    ----------
    separator
        Between fields; a regular expression for white space.
    names
        Of all columns, that of nameless row names empty; none if there is no header.
    width
        Columns, without an empty one that a separator at the end of the lines makes.
    """

    separator: str
    names: tuple[str, ...]
    width: int


def find_layout(path: Path, header: bool | None = None) -> Layout:
    """The layout of a table, by its first two lines.

    Parameters
    ----------
    path
        Plain or gzipped, UTF-8, with or without a byte order mark.
    header
        Whether the first line is one; if not given, it is one if none of its fields is a number.

    Raises
    ------
    InputError
        If the file is empty or damaged.
    """
    with reading(path, "a table"), _open(path) as file:
        lines = [line for _, line in zip(range(2), file, strict=False)]
    if not lines or not lines[0].strip():
        raise InputError(f"{path}: is empty. Fix: fetch or make the file again.")
    separator = next((mark for mark in SEPARATORS if mark in lines[0]), r"\s+")
    first, *others = ([field.strip() for field in _fields(line, separator)] for line in lines)
    if header is None:
        header = not any(map(_is_number, first))
    below = others[0] if others else first
    while len(below) > 1 and not below[-1] and len(below) > len(first) - header:
        below = below[:-1]  # a separator at the end of the line
    if not header:
        return Layout(separator, (), len(below))
    while len(first) > len(below) and not first[-1]:
        first = first[:-1]
    # R leaves the column of row names without a name, and without a separator.
    names = ("", *first) if len(below) == len(first) + 1 else tuple(first)
    return Layout(separator, names, len(names))


def read_text_table(
    path: Path, layout: Layout, chunk: int | None = None, **options: Any
) -> Iterator[pd.DataFrame]:
    """Rows of a table in one or several parts, its columns numbered.

    Parameters
    ----------
    chunk
        Rows of a part; all if not given.
    options
        Of `pandas.read_csv`.

    Raises
    ------
    InputError
        If the file is damaged, or its lines are not of one length.
    """
    with reading(path, "a table"), _open(path) as file:
        if layout.names:
            file.readline()
        table = pd.read_csv(
            file,
            sep=layout.separator,
            header=None,
            index_col=False,
            usecols=range(layout.width),
            skipinitialspace=True,
            chunksize=chunk,
            **options,
        )
        yield from [table] if chunk is None else table


def _open(path: Path):
    return (gzip.open if is_gzipped(path) else open)(path, "rt", encoding="utf-8-sig", newline=None)


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
