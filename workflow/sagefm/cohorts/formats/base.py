"""Code shared by the formats: the choice of a section in a file, and searches for file names."""

import re
from dataclasses import dataclass, fields
from pathlib import Path

from sagefm.common.errors import InputError

POSITION_FILES = (
    "tissue_positions.parquet",
    "tissue_positions.csv",
    "tissue_positions_list.csv",
    "tissue_positions_list.txt",
)
"""Space Ranger's position file: Visium HD, from version 2, version 1; also as renamed in
deposits."""

MATRIX_NAMES = ("filtered_feature_bc_matrix", "raw_feature_bc_matrix")
"""Space Ranger's matrices, starting with the one of spots in tissue."""


_MARKS = (*MATRIX_NAMES, "matrix.mtx")


TENX_TABLES = ("features.tsv", "genes.tsv", "barcodes.tsv")
"""Tables that accompany a `matrix.mtx`."""


@dataclass(frozen=True)
class Choice:
    """Which part of a file is the section, if it holds several; fields left empty are detected.

    Parameters
    ----------
    layer
        Layer of an AnnData with the raw counts, or `raw`.
    library
        Name of the section in the file.
    library_key
        Column of `obs` with the names.
    orientation
        For a table: `spots_by_genes` or `genes_by_spots`.
    """

    layer: str = ""
    library: str = ""
    library_key: str = ""
    orientation: str = ""

    def given(self) -> dict[str, str]:
        """Return the fields that are set."""
        chosen = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in chosen.items() if value}


def is_file_named(path: Path, ending: str) -> bool:
    """Whether a path has this ending, plain or `.gz`, and is not a folder; it may not exist yet."""
    name = path.name.lower().removesuffix(".gz")
    return name.endswith(ending) and not path.is_dir()


def require_file(path: Path, fmt: str) -> None:
    """Raise an InputError if a section's path is a folder but its format is a file."""
    if path.is_dir():
        raise InputError(
            f"{path}: is a folder, but a section of format `{fmt}` is a file. Fix: correct its "
            "`format` or its path."
        )


def existing(folder: Path, *names: str) -> Path | None:
    """Return the first of some files that exists in a folder, plain before `.gz`."""
    for name in names:
        for candidate in (folder / name, folder / f"{name}.gz"):
            if candidate.is_file():
                return candidate
    return None


def first(folder: Path, *names: str) -> Path:
    """Return the first of some files that exists; at least one must exist.

    Raises
    ------
    InputError
        If none of the files exists.
    """
    found = existing(folder, *names)
    if found is None:
        raise InputError(f"{folder}: has no {' or '.join(names)}. Fix: complete the folder.")
    return found


def matrix_prefix(name: str) -> str:
    """Return the prefix of a 10x matrix: `GSM1_s1_` for `GSM1_s1_matrix.mtx.gz`."""
    return next((name.split(mark)[0] for mark in _MARKS if mark in name), "")


SUFFIXES = (".h5ad", ".h5", ".zarr", ".mtx", ".csv", ".tsv", ".txt")

INNER = re.compile(
    r"outs|spatial|binned_outputs|square_\d+um|(filtered|raw)_feature_bc_matrix|matrix"
)
"""Folders and files with the same name in every section."""


def section_name(path: Path) -> str:
    """Return the name of a section: its file without suffix, or its own folder, not `outs`.

    A link's own name is used, since its target may have any name.
    """
    path = path.parent.resolve() / path.name if path.is_symlink() else path.resolve()
    for part in (path, *path.parents):
        name = part.name
        for suffix in () if part.is_dir() else (".gz", *SUFFIXES):
            if name.lower().endswith(suffix):
                name = name[: -len(suffix)]
        if part.is_dir():
            name = name.removesuffix(".zarr")
        if name and not INNER.fullmatch(name):
            prefix = matrix_prefix(part.name).rstrip("_.-")
            return prefix or name
    return "section"


def position_files(folder: Path) -> list[Path]:
    """Return Space Ranger's position files in a folder or subfolder so named, prefixed or not."""
    folders = [folder, *(one for one in sorted(folder.glob("*spatial")) if one.is_dir())]
    return [
        path
        for one in folders
        for name in POSITION_FILES
        for path in sorted(one.glob("*"))
        if is_file_named(path, name)
    ]


def positions_with(folder: Path, prefix: str) -> Path | None:
    """Return the position file with a matrix's prefix, next to it or in `spatial/`.

    It is Space Ranger's, or else a table with a suitable name, such as `GSM1_s1_coordinates.csv`.
    """
    inner, prefixed = folder / "spatial", folder / f"{prefix}spatial"
    places = (inner, ""), (prefixed, ""), (folder, prefix), (inner, prefix), (prefixed, prefix)
    for place, start in places:
        if found := existing(place, *(f"{start}{name}" for name in POSITION_FILES)):
            return found
    tables = (path for one in (folder, inner) for path in sorted(one.glob("*")))
    for named in (position_files(folder), filter(_is_of_coordinates, tables)):
        others = [path for path in named if _may_share(path, prefix)]
        if others:
            return others[0] if len(others) == 1 else None
    return None


_COORDINATES = re.compile(
    r"(?P<prefix>.*[_.\-])?(coordinates|positions|coords|locations)\.(csv|tsv|txt)(\.gz)?",
    re.IGNORECASE,
)
"""Names of position tables in deposits that are not Space Ranger's."""


def _is_of_coordinates(path: Path) -> bool:
    return bool(_COORDINATES.fullmatch(path.name)) and path.is_file()


def _may_share(positions: Path, prefix: str) -> bool:
    """Whether a position file may belong to a matrix: one prefix starts or ends with the other."""
    own = positions.name.split("tissue_positions")[0]
    if named := _COORDINATES.fullmatch(own):
        own = named["prefix"] or ""
    words = [[word for word in _WORDS.split(name) if word] for name in (own, prefix)]
    short, long = sorted(words, key=len)
    return short in (long[: len(short)], long[len(long) - len(short) :])


_WORDS = re.compile(r"[_.\-]")


def positions_beside(path: Path) -> Path:
    """Return Space Ranger's position file of a 10x matrix, next to it or in `spatial/`.

    Raises
    ------
    InputError
        If there is no such file.
    """
    marked = any(mark in path.name for mark in _MARKS)
    prefix = matrix_prefix(path.name) if marked else f"{section_name(path)}_"
    found = positions_with(path.parent, prefix)
    if found is None and path.parent.name in MATRIX_NAMES:  # one of the matrix's three files
        found = positions_with(path.parent.parent, prefix)
    if found is None:
        raise InputError(
            f"{path}: a 10x matrix has no coordinates of its own, and there is no position file "
            "beside it or in spatial/. Fix: name the section's tissue_positions file as its "
            "`positions`."
        )
    return found
