"""What formats share: which section of a file is meant, and the search for files by name."""

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
"""Space Ranger's position file: Visium HD, from version 2 on, version 1; as renamed by deposits."""

MATRIX_NAMES = ("filtered_feature_bc_matrix", "raw_feature_bc_matrix")
"""Space Ranger's matrices, the one of spots in tissue first."""


_MARKS = (*MATRIX_NAMES, "matrix.mtx")


TENX_TABLES = ("features.tsv", "genes.tsv", "barcodes.tsv")
"""Tables beside a `matrix.mtx`."""


@dataclass(frozen=True)
class Choice:
    """What of a file is the section, where it may hold several; empty if it is found out.

    Parameters
    ----------
    layer
        The layer of an AnnData with the raw counts, or `raw`.
    library
        The section's name in the file.
    library_key
        Column of `obs` that has the names.
    orientation
        Of a table: `spots_by_genes` or `genes_by_spots`.
    """

    layer: str = ""
    library: str = ""
    library_key: str = ""
    orientation: str = ""

    def given(self) -> dict[str, str]:
        """What is not left to be found out."""
        chosen = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in chosen.items() if value}


def is_file_named(path: Path, ending: str) -> bool:
    """Whether a path ends so, plain or `.gz`, and is not a folder; it may be yet to be fetched."""
    name = path.name.lower().removesuffix(".gz")
    return name.endswith(ending) and not path.is_dir()


def require_file(path: Path, fmt: str) -> None:
    """InputError if the path of a section, whose format is one of files, is a folder."""
    if path.is_dir():
        raise InputError(
            f"{path}: is a folder, but a section of format `{fmt}` is a file. Fix: correct its "
            "`format` or its path."
        )


def existing(folder: Path, *names: str) -> Path | None:
    """The first of some files that exists in a folder, plain before `.gz`."""
    for name in names:
        for candidate in (folder / name, folder / f"{name}.gz"):
            if candidate.is_file():
                return candidate
    return None


def first(folder: Path, *names: str) -> Path:
    """`existing`, of which there has to be one.

    Raises
    ------
    InputError
        If none of them exists.
    """
    found = existing(folder, *names)
    if found is None:
        raise InputError(f"{folder}: has no {' or '.join(names)}. Fix: complete the folder.")
    return found


def matrix_prefix(name: str) -> str:
    """What the name of a 10x matrix begins with: `GSM1_s1_` of `GSM1_s1_matrix.mtx.gz`."""
    return next((name.split(mark)[0] for mark in _MARKS if mark in name), "")


SUFFIXES = (".h5ad", ".h5", ".zarr", ".mtx", ".csv", ".tsv", ".txt")

INNER = re.compile(
    r"outs|spatial|binned_outputs|square_\d+um|(filtered|raw)_feature_bc_matrix|matrix"
)
"""Folders and files that are named alike in every section."""


def section_name(path: Path) -> str:
    """What a section is called: its file without suffix, or its own folder, not `outs`.

    A link has the name of the section, what it leads to may have any.
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
    """Space Ranger's position files in a folder, or in a folder named so, prefixed or not."""
    folders = [folder, *(one for one in sorted(folder.glob("*spatial")) if one.is_dir())]
    return [
        path
        for one in folders
        for name in POSITION_FILES
        for path in sorted(one.glob("*"))
        if is_file_named(path, name)
    ]


def positions_with(folder: Path, prefix: str) -> Path | None:
    """The position file of a matrix in a folder: beside it, or in `spatial/`, by its prefix.

    Space Ranger's, else a table named so, such as `GSM1_s1_coordinates.csv`.
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
"""Names of tables of positions that are not Space Ranger's, as deposits call them."""


def _is_of_coordinates(path: Path) -> bool:
    return bool(_COORDINATES.fullmatch(path.name)) and path.is_file()


def _may_share(positions: Path, prefix: str) -> bool:
    """Whether a position file may be that of a matrix: one prefix begins or ends as the other."""
    own = positions.name.split("tissue_positions")[0]
    if named := _COORDINATES.fullmatch(own):
        own = named["prefix"] or ""
    words = [[word for word in _WORDS.split(name) if word] for name in (own, prefix)]
    short, long = sorted(words, key=len)
    return short in (long[: len(short)], long[len(long) - len(short) :])


_WORDS = re.compile(r"[_.\-]")


def positions_beside(path: Path) -> Path:
    """Space Ranger's position file of a 10x matrix: beside it or in `spatial/`, with its prefix.

    Raises
    ------
    InputError
        If there is none.
    """
    marked = any(mark in path.name for mark in _MARKS)
    prefix = matrix_prefix(path.name) if marked else f"{section_name(path)}_"
    found = positions_with(path.parent, prefix)
    if found is None and path.parent.name in MATRIX_NAMES:  # one of its three files
        found = positions_with(path.parent.parent, prefix)
    if found is None:
        raise InputError(
            f"{path}: a 10x matrix has no coordinates of its own, and there is no position file "
            "beside it or in spatial/. Fix: name the section's tissue_positions file as its "
            "`positions`."
        )
    return found
