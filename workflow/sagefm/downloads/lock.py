"""The lock table of raw files: what each was when first brought, and must be from then on."""

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
    """A raw file by its path in the raw folder; or, of no size, a collection and its revision."""

    file: str
    address: str = ""
    revision: str = ""
    size: str = ""
    sha256: str = ""
    recorded: str = ""


COLUMNS = [field.name for field in fields(Locked)]


class LockTable:
    """A TSV of `Locked` rows, which concurrent jobs may read and write."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name(f".{self.path.name}.lock")):
            yield

    def rows(self) -> dict[str, Locked]:
        """All rows, by file.

        Raises
        ------
        InputError
            If the table is not one.
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
        """A file's row."""
        return self.rows().get(file)

    def revision(self, collection: str) -> str:
        """The revision a collection's files are of; empty if none is recorded."""
        row = self.get(collection)
        return row.revision if row else ""

    def add(self, row: Locked) -> Locked:
        """Add a row with today's date, unless its file has one; the row in force."""
        with self._alone():
            rows = self.rows()
            if row.file not in rows:
                now = datetime.now(UTC).strftime("%Y-%m-%d")
                rows[row.file] = Locked(**{**asdict(row), "recorded": now})
                ordered = sorted(map(astuple, rows.values()))
                write_table(pd.DataFrame(ordered, columns=COLUMNS).replace("", pd.NA), self.path)
            return rows[row.file]

    def check(self, file: str, size: int, sha256: str) -> None:
        """InputError if a file is not what was recorded of it."""
        row = self.get(file)
        if row and (row.size, row.sha256) != (str(size), sha256):
            raise InputError(
                f"{file}: has {size} bytes and sha256 {sha256}, but {self.path} recorded "
                f"{row.size} and {row.sha256} on {row.recorded}. Its source has "
                "changed. Fix: to accept the new file, delete its row from the table."
            )
