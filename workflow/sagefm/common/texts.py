"""Read users' text files: UTF-8, or UTF-16 as written by spreadsheets; refuse anything else."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sagefm.common.errors import InputError

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_GZIP = b"\x1f\x8b"

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of Excel and LibreOffice files, which are archives."""


def read_text(path: str | Path) -> str:
    """Return a file's text, without byte order mark.

    Raises
    ------
    InputError
        If the file is not text. The message says what it is.
    OSError
        If the file cannot be read.
    """
    with refusing_bytes(path, "text"), opened(path)(path, "rt", encoding=encoding_of(path)) as file:
        text = str(file.read())
    return _without_zeros(path, text, "text")


def read_utf8(path: str | Path, what: str) -> str:
    """Return a file's text, which must be UTF-8 because other programs read it as such.

    Raises
    ------
    InputError
        If the file is not UTF-8 text. The message says what it is, and that it is not `what`.
    OSError
        If the file cannot be read.
    """
    with refusing_bytes(path, what):
        text = Path(path).read_text(encoding="utf-8-sig")
    return _without_zeros(path, text, what)


def _without_zeros(path: str | Path, text: str, what: str) -> str:
    if "\0" in text:
        raise InputError(
            f"{path} cannot be read as {what}: it holds bytes of 0, which are no letters. Fix: "
            "save it as text in UTF-8."
        )
    return text


def opened(path: str | Path) -> Any:
    """Return `gzip.open` for a file whose name ends in `.gz`, otherwise `open`."""
    return gzip.open if str(path).endswith(".gz") else open


def encoding_of(path: str | Path) -> str:
    """Return the encoding of a file, judged by its first bytes; see `encoding_by`."""
    return encoding_by(_start(path))


def encoding_by(start: bytes) -> str:
    """Return `utf-16` if the bytes begin with its byte order mark, otherwise `utf-8-sig`.

    Excel's "Unicode text" has that mark. Without it, two ASCII letters each paired with a byte of 0
    also count as UTF-16.
    """
    if start.startswith(_UTF16):
        return "utf-16"
    if len(start) == 4 and start[1] == start[3] == 0 != start[0]:
        return "utf-16-le"
    return "utf-16-be" if len(start) == 4 and start[0] == start[2] == 0 != start[1] else "utf-8-sig"


@contextmanager
def refusing_bytes(path: str | Path, what: str) -> Iterator[None]:
    """Raise an `InputError` that says why a file is not `what` if it cannot be read inside."""
    problem = f"{path} cannot be read as {what}: it"
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            f"{problem} is not a whole gzip file ({error}). Fix: write it again, or take `.gz` off "
            "its name if it is not compressed."
        ) from error
    except UnicodeError as error:
        raise InputError(f"{problem} {_instead_of_text(path)}") from error


def _instead_of_text(path: str | Path) -> str:
    start = _start(path)
    if start.startswith(_GZIP) and not str(path).endswith(".gz"):
        return "is compressed by gzip. Fix: unpack it, or let the name of a table end in `.gz`."
    if start.startswith(_WORKBOOKS):
        return "is a workbook or an archive. Fix: save it as text, a table with tabs."
    return "is not text in UTF-8. Fix: save it in that encoding."


def _start(path: str | Path) -> bytes:
    """Return the first bytes of a file, unpacked if its name ends in `.gz`."""
    with opened(path)(path, "rb") as file:
        return bytes(file.read(4))
