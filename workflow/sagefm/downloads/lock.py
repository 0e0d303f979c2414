"""The lock table: checksum of each raw file when first fetched, verified on every later run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from filelock import FileLock

from sagefm.common.errors import InputError
from sagefm.common.io import read_table, write_table


@dataclass(frozen=True)
class Locked:
    """A raw file, by path in the raw folder; without a size, a collection and its revision."""

    file: str
    address: str = ""
    revision: str = ""
    size: str = ""
    sha256: str = ""
    recorded: str = ""


COLUMNS = [field.name for field in fields(Locked)]


class LockTable:
    """A TSV of `Locked` rows that concurrent jobs may read and write."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name(f".{self.path.name}.lock")):
            yield

    def rows(self) -> dict[str, Locked]:
        """Return all rows, by file.

        Raises
        ------
        InputError
            If the file is not a lock table.
        """
        if not self.path.exists():
            return {}
        try:
            table = read_table(self.path, dtype=str).fillna("")
            return {row[0]: Locked(*row) for row in table[COLUMNS].itertuples(index=False)}
        except (KeyError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise InputError(
                f"{self.path}: is not a table of {', '.join(COLUMNS)}. Fix: restore it, or delete "
                "it, and it is made anew."
            ) from error

    def get(self, file: str) -> Locked | None:
        """Return a file's row, or None."""
        return self.rows().get(file)

    def revision(self, collection: str) -> str:
        """Return the recorded revision of a collection's files; empty if none is recorded."""
        row = self.get(collection)
        return row.revision if row else ""

    def add(self, row: Locked) -> Locked:
        """Add a row with today's date unless its file has one; return the row in force."""
        with self._alone():
            rows = self.rows()
            if row.file not in rows:
                now = datetime.now(UTC).strftime("%Y-%m-%d")
                rows[row.file] = Locked(**{**asdict(row), "recorded": now})
                ordered = sorted(map(astuple, rows.values()))
                write_table(pd.DataFrame(ordered, columns=COLUMNS).replace("", pd.NA), self.path)
            return rows[row.file]

    def check(self, file: str, size: int, sha256: str) -> None:
        """Raise an `InputError` if a file differs from its record."""
        row = self.get(file)
        if row and (row.size, row.sha256) != (str(size), sha256):
            raise InputError(
                f"{file}: has {size} bytes and sha256 {sha256}, but {self.path} recorded "
                f"{row.size} and {row.sha256} on {row.recorded}. Its source has "
                "changed. Fix: to accept the new file, delete its row from the table."
            )
