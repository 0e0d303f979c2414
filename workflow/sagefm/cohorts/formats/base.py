"""What formats share: the search for files by name, and errors of damaged files in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagefm.common.errors import InputError

POSITION_FILES = ("tissue_positions.csv", "tissue_positions_list.csv")
"""Space Ranger's position file, of version 2 and of version 1."""


def is_file_named(path: Path, ending: str) -> bool:
    """Whether a path ends so, plain or `.gz`, and is not a folder; it may be yet to be fetched."""
    return path.name.removesuffix(".gz").endswith(ending) and not path.is_dir()


def require_file(path: Path, fmt: str) -> None:
    """InputError if the path of a section, whose format is one of files, is a folder."""
    if path.is_dir():
        raise InputError(
            f"{path}: is a folder, but a section of format `{fmt}` is a file. Fix: correct its "
            "`format` or its path."
        )


def first(folder: Path, *names: str) -> Path:
    """The first of some files that exists in a folder, plain before `.gz`.

    Raises
    ------
    InputError
        If none of them exists.
    """
    for name in names:
        for candidate in (folder / name, folder / f"{name}.gz"):
            if candidate.is_file():
                return candidate
    raise InputError(f"{folder}: has no {' or '.join(names)}. Fix: complete the folder.")


def positions_beside(path: Path) -> Path:
    """The position file of a 10x matrix, in the `spatial/` folder of Space Ranger beside it.

    Raises
    ------
    InputError
        If there is none.
    """
    beside = path.parent / "spatial"
    if not beside.is_dir():
        raise InputError(
            f"{path}: a 10x matrix has no coordinates of its own, and there is no folder spatial/ "
            "beside it. Fix: name the section's tissue_positions file as its `positions`."
        )
    return first(beside, *POSITION_FILES)


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a library raises on a damaged file into one sentence.

    Raises
    ------
    InputError
        In place of any exception but `MemoryError`.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"{path}: cannot be read as {kind}, perhaps truncated ({reason}). Fix: fetch or make "
            "the file again."
        ) from error
