"""Formats of sections: the format of a path and the files that belong to it, without opening any.

A format is one file of this folder, or of `cohorts/formats` in a folder of `SAGEFM_PATH`:

- `HELP`, `POSITIONS`: what the path of a section is, and where its positions are, in words.
- `EXAMPLES`: what is read, in words, with the columns of a sheet's row that differ from others'.
- `fits(path)`: whether a path has this format by its name, or a folder by its content.
- `files(path)`: the files of the section by role, such as `{"counts": path}`.
- `positions(path)`: a position file in Space Ranger's layout, or None if `read` returns
  `obsm['spatial']`. It raises an `InputError` if a section needs a file and has none.
- `CHOICES`: fields of `base.Choice` that `read` uses; empty if a file holds one section.
- `read(files, choice)`: an AnnData with raw counts in `X`, and names of barcodes and genes.
  `uns['matrices']` may name other matrices, for `layer`.
- `IMAGES`: where an image of the tissue may be: `images.ImagePlace`s in order of preference.

`tenx_h5.py` is the shortest example. This module is imported whenever the workflow is parsed, so
heavy imports go inside functions.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from sagefm.cohorts.formats.base import Choice
from sagefm.cohorts.formats.remedies import remedy
from sagefm.common.errors import InputError
from sagefm.common.registry import Registry
from sagefm.downloads.sources.registry import is_fetched

if TYPE_CHECKING:
    from anndata import AnnData

FORMATS = Registry(
    "cohorts/formats",
    "format",
    ("HELP", "POSITIONS", "EXAMPLES", "CHOICES", "IMAGES", "fits", "files", "positions", "read"),
)

AUTO = "auto"
"""Used instead of a format's name to have it detected."""


def names() -> tuple[str, ...]:
    """Return the names of all formats, sorted."""
    return FORMATS.names()


def load_format(name: str) -> ModuleType:
    """Import and return the module of a format.

    Raises
    ------
    InputError
        If the format does not exist.
    """
    return FORMATS.load(name)


def format_of(path: str | Path, fmt: str = "") -> str:
    """Return the format of a section, whose files need not exist yet.

    Parameters
    ----------
    path
        File or folder of the section.
    fmt
        As in a sheet: empty or `auto` to have it detected.

    Raises
    ------
    InputError
        If the section fits no format, or more than one.
    """
    return guess(Path(path)) if fmt in ("", AUTO) else fmt


def sheet_formats(
    rows: Iterable[Mapping[str, str]], path_of: Callable[[Mapping[str, str]], str], cohort: str
) -> dict[str, str]:
    """Return the format of each sample of a sheet, whose files exist or will be fetched.

    Parameters
    ----------
    rows
        The sheet's rows.
    path_of
        Returns the file or folder of a row, existing or not.

    Raises
    ------
    InputError
        If a section fits no format or more than one, or if it lacks a file, such as positions. The
        message names cohort and sample.
    """
    found = {}
    for row in rows:
        try:
            path = Path(path_of(row))
            fmt = found[row["sample"]] = format_of(path, row["format"])
            if not is_fetched(row["source"]):
                find_section(path, fmt, row["positions"] or None)
            elif not row["positions"]:  # only files named in a sheet are fetched
                load_format(fmt).positions(path)
        except InputError as error:
            raise InputError(f"cohort {cohort}, sample {row['sample']}: {error}") from error
    return found


def guess(path: Path) -> str:
    """Return the format of a path, judged by the file's name or the folder's content.

    Raises
    ------
    InputError
        If the path fits no format, or more than one.
    """
    fitting = [name for name in names() if load_format(name).fits(path)]
    if len(fitting) > 1:
        raise InputError(
            f"{path}: fits the formats {' and '.join(fitting)}. Fix: name one of them as the "
            "section's `format`."
        )
    if not fitting:
        if said := remedy(path):
            raise InputError(f"{path}: {said}")
        known = "; ".join(load_format(name).HELP for name in names())
        raise InputError(f"{path}: is not a format that can be read. Fix: give {known}.")
    return fitting[0]


def find_section(
    path: str | Path, fmt: str = AUTO, positions: str | Path | None = None
) -> tuple[str, dict[str, Path]]:
    """Return a section's format and its files by role, without opening any.

    Parameters
    ----------
    path
        File or folder of the section.
    fmt
        One of `names`, or `auto`.
    positions
        Position file to use instead of the format's own.

    Returns
    -------
    format, files : the format, never `auto`, and the paths of `files(path)` of that format, with
        `positions` where there is such a file.

    Raises
    ------
    InputError
        If the format is unknown or a file is missing.
    """
    path = Path(path)
    if fmt != AUTO:
        load_format(fmt)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder. Fix: correct its path.")
    if fmt == AUTO:
        fmt = guess(path)
    found = load_format(fmt)
    files: dict[str, Path] = dict(found.files(path))
    where = Path(positions) if positions else found.positions(path)
    if where:
        if not where.is_file():
            raise InputError(f"{where}: no such file. Fix: correct the path of `positions`.")
        files["positions"] = where
    return fmt, files


def read_files(fmt: str, files: dict[str, Path], choice: Choice) -> "AnnData":
    """Read a section's files with the reader of its format.

    Parameters
    ----------
    fmt, files
        As returned by `find_section`.

    Raises
    ------
    InputError
        If the files cannot be read, or the format does not support the choice.
    """
    one = load_format(fmt)
    for name in choice.given():
        if name not in one.CHOICES:
            raise InputError(
                f"{next(iter(files.values()))}: format `{fmt}` does not use `{name}`. "
                "Fix: leave it empty."
            )
    return one.read(files, choice)
