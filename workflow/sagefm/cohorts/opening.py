"""Open users' files: gzip, HDF5 filters, and one accurate message for damaged files."""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sagefm.common.errors import InputError
from sagefm.common.texts import encoding_by

if TYPE_CHECKING:
    import h5py

GZIP = b"\x1f\x8b"
HDF5 = b"\x89HDF\r\n\x1a\n"
"""First bytes of a file: RFC 1952, and the HDF5 file format specification, version 3."""


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn any error of a library that reads a file into one message.

    The message blames the download only if the file is cut short or is of another kind.

    Raises
    ------
    InputError
        Instead of any exception except `MemoryError` and `InputError`.
    """
    try:
        yield
    except (MemoryError, InputError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"{path}: cannot be read as {kind} {_diagnosis(path, error, reason)}"
        ) from (error)


def _diagnosis(path: Path, error: Exception, reason: str) -> str:
    """Say what is wrong with a file and how to fix it."""
    if isinstance(error, EOFError | zlib.error) or "truncated" in reason.lower():
        return f"because it is truncated ({reason}). Fix: fetch or make the file again."
    if isinstance(error, gzip.BadGzipFile):
        return "because it is not gzipped. Fix: fetch it again, or take `.gz` off its name."
    start = b""
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(200).lstrip()
        if not start:
            return "because it is empty. Fix: fetch or make the file again."
    if start.lower().startswith((b"<!doctype html", b"<html")):
        return "because it is a web page. Fix: fetch the file again."
    if start.startswith(b"version https://git-lfs"):
        return "because it is a pointer of Git LFS, not the file. Fix: run `git lfs pull`."
    if "signature not found" in reason:
        return "because it is not HDF5. Fix: fetch or make the file again."
    return f"({reason}). Fix: open it with the software that wrote it, and save it again."


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Open a text file, plain or gzipped, as UTF-8 or UTF-16; invalid letters are replaced.

    Names of genes and spots are ASCII, so replaced letters are only in columns that are not used.
    """
    opened = gzip.open if is_gzipped(path) else open
    with opened(path, "rb") as file:
        encoding = encoding_by(file.read(4))
    with opened(path, "rt", encoding=encoding, errors="replace", newline=None) as file:
        yield file


def is_gzipped(path: Path) -> bool:
    """Whether a file is gzipped, judged by its first bytes, not its name."""
    with path.open("rb") as file:
        return file.read(2) == GZIP


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yield a file as it is, or a copy without gzip that exists as long as the context."""
    if not is_gzipped(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="sagefm-") as folder:
        plain = Path(folder, path.name.removesuffix(".gz"))
        with gzip.open(path) as source, plain.open("wb") as target:
            shutil.copyfileobj(source, target)
        yield plain


@contextmanager
def open_h5(path: Path, kind: str) -> Iterator["h5py.File"]:
    """Open an HDF5 file, plain or gzipped, and make sure that all its data can be read.

    Parameters
    ----------
    kind
        Word for the file in error messages.

    Raises
    ------
    InputError
        If the file is damaged, or compressed in an unknown way.
    """
    import h5py

    with reading(path, kind), unpacked(path) as plain, h5py.File(plain) as file:
        _require_filters(file, path)
        yield file


def _require_filters(file: "h5py.File", path: Path) -> None:
    """Load filters that HDF5 itself lacks (such as zstd or blosc) if the file uses any."""
    import h5py

    used: dict[int, str] = {}

    def collect(_: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            plan = item.id.get_create_plist()
            found = (plan.get_filter(number) for number in range(plan.get_nfilters()))
            used.update({code: name.decode() for code, _, _, name in found})

    file.visititems(collect)
    if all(map(h5py.h5z.filter_avail, used)):
        return
    try:
        import_module("hdf5plugin")  # importing it registers its filters
    except ImportError as error:
        raise InputError(
            f"{path}: is compressed with a filter that HDF5 lacks by itself "
            f"({', '.join(used.values())}). Fix: install the Python package hdf5plugin."
        ) from error
    for code, name in used.items():
        if not h5py.h5z.filter_avail(code):
            raise InputError(
                f"{path}: is compressed with the HDF5 filter {code} (`{name}`), which is not known "
                "here. Fix: write the file again with gzip."
            )
