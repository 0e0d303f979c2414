"""Checksums of users' files, so that a job reruns when their content changes, not their time.

Moving or copying a file, or a fresh clone, changes times and places but not content.
"""

import hashlib
import os
from functools import cache
from pathlib import Path

WHOLE = 8 * 2**20
"""Files up to this size (bytes) are read whole; for larger ones, size and `BLOCKS` are compared."""

BLOCKS, BLOCK = 16, 2**14
"""Number of blocks read of a large file, evenly spaced from first to last byte, and their size in
bytes."""

LEVELS = 2
"""Levels of a folder that count: its files and those of its subfolders. Deeper ones are other
programs'."""


def content_state(path: str | Path) -> str:
    """Return a checksum of a file's content, or of the names and contents of a folder's files.

    The file is read once, as long as its time and size stay the same.

    Returns
    -------
    str
        16 hex digits.

    Raises
    ------
    FileNotFoundError
        If the file or folder does not exist.
    """
    path = Path(path)
    if not path.is_dir():
        return _file_state(path)
    files = [file for level in range(LEVELS) for file in path.glob("*/" * level + "[!.]*")]
    lines = [f"{file.relative_to(path)} {_file_state(file)}\n" for file in files if file.is_file()]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()[:16]


def _file_state(path: Path) -> str:
    found = path.stat()
    return _read(path.absolute(), found.st_size, found.st_mtime_ns)


@cache
def _read(path: Path, size: int, mtime: int) -> str:
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        if size <= WHOLE:
            digest.update(file.read())
        else:
            for number in range(BLOCKS):
                file.seek(number * (size - BLOCK) // (BLOCKS - 1), os.SEEK_SET)
                digest.update(file.read(BLOCK))
    return digest.hexdigest()[:16]
