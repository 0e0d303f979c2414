"""Write files completely or not at all: tables, sections, checksums."""

import csv
import errno
import glob
import gzip
import hashlib
import io
import os
import shutil
import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sagefm.common.errors import InputError
from sagefm.common.keys import NAMES, trimmed
from sagefm.common.texts import encoding_of, refusing_bytes

if TYPE_CHECKING:  # importing it takes seconds, so only functions that need it do
    import pandas as pd


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`, renamed to it on success and removed on failure.

    The temporary name keeps the suffix, since writers choose their format by it. It also names the
    process, so that files left by a killed process are removed at the next attempt.

    Raises
    ------
    InputError
        If the disk is full or the folder is not writable. The message names `path`.
    """
    path = Path(path)
    temporary = temporary_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        yield temporary
        temporary.replace(path)
    except Exception as error:
        if sentence := full_disk(path, error) or _denied(path, temporary, error):
            raise sentence from error
        raise
    finally:
        with suppress(OSError):  # a folder that cannot be entered has already been reported
            temporary.unlink(missing_ok=True)


def temporary_of(path: Path) -> Path:
    """Name of a file while this process is writing it."""
    return path.with_name(f"{_of_machine()}{os.getpid()}.{path.name}")


def _of_machine() -> str:
    return f".tmp-{socket.gethostname()}-"


def _remove_abandoned(path: Path) -> None:
    """Remove unfinished files for `path` left by ended processes of this machine."""
    start, end = _of_machine(), f".{path.name}"
    for other in path.parent.glob(f"{glob.escape(start)}*{glob.escape(end)}"):
        process = other.name.removeprefix(start).removesuffix(end)
        if process.isdecimal() and not _is_running(int(process)):
            other.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    """Whether a process with this id is running on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


def write_table(table: "pd.DataFrame", path: str | Path, *, index: bool = False) -> None:
    """Write a TSV, gzipped if the name ends in `.gz`. Equal tables give identical bytes."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        if str(path).endswith(".gz"):  # without file name and time in the header
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                table.to_csv(packed, sep="\t", index=index, na_rep="NA")
        else:
            table.to_csv(file, sep="\t", index=index, na_rep="NA")


def read_table(path: str | Path, **kwargs) -> "pd.DataFrame":
    """Read a TSV, or a CSV if named so; only `NA` and empty cells are missing values.

    Columns of `keys.NAMES` are read as text, whatever they hold.

    The function accepts a byte order mark, UTF-16 with such a mark, Windows line ends, white space
    around column names and separators at line ends.

    Raises
    ------
    InputError
        If the file is not text.
    pandas.errors.ParserError
        If a line has more cells than the header.
    """
    import pandas as pd

    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    options: dict = {"sep": "," if ".csv" in suffixes else "\t", "index_col": False}
    if isinstance(kinds := kwargs.get("dtype", {}), Mapping):
        kwargs["dtype"] = {**dict.fromkeys(NAMES, str), **kinds}
    options |= {"na_values": ["NA", ""], "keep_default_na": False} | kwargs
    with warnings.catch_warnings(), refusing_bytes(path, "a table"):
        options["encoding"] = encoding_of(path)
        # pandas only warns when it drops cells beyond the header.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            table = pd.read_csv(path, **options)
        except (pd.errors.ParserWarning, pd.errors.ParserError) as error:
            if "Expected" not in str(error) and isinstance(error, pd.errors.ParserError):
                raise
            table = pd.read_csv(_within_header(path, options), **options | {"skiprows": 0})
    table.columns = [trimmed(name) if isinstance(name, str) else name for name in table.columns]
    blank = [
        name
        for name in table.columns
        if str(name).startswith("Unnamed: ") and (table[name].isna() | (table[name] == "")).all()
    ]
    return table.drop(columns=blank)


UNCLOSED = "has a quotation mark that is not closed in its row. Fix: close it, or take it out."


def over_several_cells(table: "pd.DataFrame") -> "pd.Series":
    """Return which rows (bool) of a text table have a cell that an unclosed quote extends."""
    return table.apply(lambda column: column.str.contains(r"[\t\n]", na=False)).any(axis=1)


def _within_header(path: str | Path, options: Mapping) -> io.StringIO:
    """Return lines without empty cells beyond the header; ParserError at a cell with content."""
    from pandas.errors import ParserError

    kept = io.StringIO()
    written = csv.writer(kept, delimiter=options["sep"], lineterminator="\n")
    opened = gzip.open if str(path).endswith(".gz") else open
    width = 0
    with opened(path, "rt", encoding=options["encoding"], newline="") as file:
        skipped = options.get("skiprows", 0)
        for _ in range(skipped):
            next(file)
        lines = csv.reader(file, delimiter=options["sep"])
        for cells in lines:
            width = width or len(cells)
            if any(cell.strip() for cell in cells[width:]):
                line = lines.line_num + skipped
                raise ParserError(f"line {line} has {len(cells)} cells, but the header has {width}")
            written.writerow(cells[:width])
    kept.seek(0)
    return kept


def require_space(path: str | Path, size: int) -> None:
    """Raise the `InputError` of a full disk if a file of `size` bytes would not fit at `path`.

    For files written through libraries that crash on a full disk instead of raising.
    """
    if shutil.disk_usage(Path(path).parent).free < size:
        raise _no_space(path)


def require_writable(folder: str | Path) -> None:
    """Raise an `InputError` if a folder, or the place where it would be made, is not writable."""
    folder = Path(folder).absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK):
        raise InputError(
            f"{there}: you have no permission to write there. Fix: change that, or move "
            "`results` in the config."
        )


def full_disk(path: str | Path, error: BaseException) -> InputError | None:
    """Return the message for an error in writing `path` if its cause is a full disk.

    Some libraries wrap the system's error: torch raises a RuntimeError.
    """
    cause: BaseException | None = error
    while cause is not None:
        full = getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        if full or (isinstance(cause, OSError) and "No space left" in str(cause)):
            return _no_space(path)
        cause = cause.__cause__ or cause.__context__
    return None


def _denied(path: Path, temporary: Path, error: Exception) -> InputError | None:
    """Return the message for an error in writing `path` if its cause is missing permission."""
    if not isinstance(error, OSError) or error.errno not in (
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
    ):
        return None
    if error.filename is None:
        of_another = str(temporary) not in str(error)
    else:
        of_another = Path(error.filename) not in (temporary, *path.parents)
    if of_another:
        return None
    return InputError(
        f"{path}: cannot be written ({os.strerror(error.errno)}). Fix: choose another place, or "
        "make its folder writable."
    )


def _no_space(path: str | Path) -> InputError:
    return InputError(
        f"{path}: no space left on the disk. Fix: free some space, or move `results` in the "
        "config (scratch files: TMPDIR) to a larger one, and start again (finished results are "
        "kept)."
    )


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
