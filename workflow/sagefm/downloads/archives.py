"""Extract single files from zip and tar archives; nothing else is written to disk."""

import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sagefm.common.errors import InputError, hint
from sagefm.common.io import atomic

DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError)


def extract(archive: str | Path, member: str, destination: str | Path) -> None:
    """Write one member of an archive to `destination`, completely or not at all.

    Parameters
    ----------
    member
        Path of the member in the archive, or the end of its path, from some folder on, if
        unambiguous.

    Raises
    ------
    InputError
        If the archive is damaged, lacks the member, or has a link or folder under that name.
    """
    archive = Path(archive)
    try:
        opened = _zip if zipfile.is_zipfile(archive) else _tar
        with (
            opened(archive, member) as source,
            atomic(destination) as temporary,
            temporary.open("wb") as file,
        ):
            shutil.copyfileobj(source, file, 1 << 20)
    except DAMAGED as error:
        raise InputError(
            f"{archive}: is damaged or cut off ({_in_a_line(error)}). Fix: delete it, and start "
            "again to have it fetched anew."
        ) from error


def require_whole(archive: Path, name: str) -> None:
    """Raise an `InputError`, which calls the archive `name`, if the archive is incomplete."""
    try:
        if not zipfile.is_zipfile(archive):  # a zip file has its table of contents at its end
            _read_to_the_end(archive)
    except DAMAGED as error:
        raise InputError(
            f"{name}: the download is not an archive, or was cut off ({_in_a_line(error)}); it was "
            "removed. Fix: start again; if it happens twice, the copy at its source is damaged: "
            "use another."
        ) from error


def _in_a_line(error: Exception) -> str:
    """Return the first line of a library's error; tarfile adds one for every format it tries."""
    return str(error).partition("\n")[0].rstrip(":")


def _read_to_the_end(archive: Path) -> None:
    with tarfile.open(archive) as opened:
        opened.getmembers()
        # A tar file cut off between two members looks complete, except for the missing block of
        # zeros.
        opened.fileobj.seek(opened.offset)
        if opened.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("it has no end")


@contextmanager
def _zip(archive: Path, member: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(archive) as opened:
        name = _named(archive, member, opened.namelist())
        info = opened.getinfo(name)
        kind = info.external_attr >> 28  # Unix mode: 8 is a regular file, 0 is unknown
        if info.is_dir() or kind not in (0, 8):
            raise _no_file(archive, name)
        with opened.open(info) as source:  # the CRC is checked at the end
            yield source


@contextmanager
def _tar(archive: Path, member: str) -> Iterator[IO[bytes]]:
    with tarfile.open(archive) as opened:
        name = _named(archive, member, opened.getnames())
        source = opened.extractfile(name) if opened.getmember(name).isreg() else None
        if source is None:
            raise _no_file(archive, name)
        with source:
            yield source


def _named(archive: Path, member: str, names: Iterable[str]) -> str:
    """Return the one name in an archive that `member` refers to."""
    names = list(names)
    exact = [name for name in names if name.removeprefix("./") == member]
    found = exact or [name for name in names if name.endswith(f"/{member}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"{archive}: has {len(found)} files `{member}`, {found[0]} and {found[1]} among "
            "them. Fix: give more of the path."
        )
    raise InputError(f"{archive}: has no file `{member}`; {hint(member, names[:2000])}.")


def _no_file(archive: Path, name: str) -> InputError:
    return InputError(
        f"{archive}: `{name}` is a link or a folder there, and only files are taken. Fix: name a "
        "file."
    )
