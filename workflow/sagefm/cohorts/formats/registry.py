"""Formats of sections: which one a path has, and which files make it; nothing is opened.

A format is one file of this folder, or of `cohorts/formats` in a folder of `SAGEFM_PATH`:

- `HELP`, `POSITIONS`: what the path of a section is, and where its positions come from, in words.
- `EXAMPLES`: what is read, in words, with the columns of a sheet's row that differ from others'.
- `fits(path)`: whether a path has this format by its name, or a folder by its content.
- `files(path)`: the files of the section by role, such as `{"counts": path}`.
- `positions(path)`: a position file in Space Ranger's layout, or None where `read` gives
  `obsm['spatial']`; an `InputError` where a section needs one and has none.
- `CHOICES`: fields of `base.Choice` that `read` heeds; empty where a file holds one section.
- `read(files, choice)`: an AnnData with raw counts in `X`, barcodes and genes as its names.
  `uns['matrices']` may name other matrices, for `layer`.
- `IMAGES`: where an image of the tissue may be, `images.ImagePlace`s in the order of preference.

`tenx_h5.py` is the shortest example. Names are read while the workflow is parsed: heavy imports
go inside functions.
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
"""In place of a format: it is found out."""


def names() -> tuple[str, ...]:
    """Names of all formats, sorted."""
    return FORMATS.names()


def load_format(name: str) -> ModuleType:
    """The module of a format.

    Raises
    ------
    InputError
        If there is no such format.
    """
    return FORMATS.load(name)


def format_of(path: str | Path, fmt: str = "") -> str:
    """The format of a section that may be yet to be fetched.

    Parameters
    ----------
    path
        Its file or folder.
    fmt
        As in a sheet: empty or `auto` if it is to be found out.

    Raises
    ------
    InputError
        If it fits no format, or more than one.
    """
    return guess(Path(path)) if fmt in ("", AUTO) else fmt


def sheet_formats(
    rows: Iterable[Mapping[str, str]], path_of: Callable[[Mapping[str, str]], str], cohort: str
) -> dict[str, str]:
    """The format of each sample of a sheet, whose files are all there or will be fetched.

    Parameters
    ----------
    rows
        The sheet's rows.
    path_of
        Where the file or folder of a row is, or will be.

    Raises
    ------
    InputError
        If a section fits no format, or more than one, or if it lacks a file, such as positions;
        the sentence names cohort and sample.
    """
    found = {}
    for row in rows:
        try:
            path = Path(path_of(row))
            fmt = found[row["sample"]] = format_of(path, row["format"])
            if not is_fetched(row["source"]):
                find_section(path, fmt, row["positions"] or None)
            elif not row["positions"]:  # nothing is fetched but what a sheet names
                load_format(fmt).positions(path)
        except InputError as error:
            raise InputError(f"cohort {cohort}, sample {row['sample']}: {error}") from error
    return found


def guess(path: Path) -> str:
    """The format of a path by the name of the file or the content of the folder.

    Raises
    ------
    InputError
        If it fits no format, or more than one.
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
    """Format of a section and the files that make it, by role; nothing is opened.

    Parameters
    ----------
    path
        File or folder of the section.
    fmt
        One of `names`, or `auto`.
    positions
        Position file in place of the format's own.

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
    """What a format reads of its files.

    Parameters
    ----------
    fmt, files
        Of `find_section`.

    Raises
    ------
    InputError
        If it cannot be read, or if the format knows nothing of what is chosen.
    """
    one = load_format(fmt)
    for name in choice.given():
        if name not in one.CHOICES:
            raise InputError(
                f"{next(iter(files.values()))}: format `{fmt}` does not use `{name}`. "
                "Fix: leave it empty."
            )
    return one.read(files, choice)
