"""List a run's raw files and where each comes from, without contacting a service."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sagefm.common.errors import InputError
from sagefm.downloads.sources.base import split_member
from sagefm.downloads.sources.registry import is_fetched, load_source, raw_file


@dataclass(frozen=True)
class Origin:
    """Where a raw file comes from: the source's address, and its required SHA-256 if known."""

    source: str
    address: str
    sha256: str | None = None


class RawPlan:
    """The raw files of a run, by path in the folder `folder`, which all runs share."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.origins: dict[str, Origin] = {}
        self._known: dict[tuple[str, str], tuple[str, str | None, str]] = {}

    def path(self, source: str, address: str, sha256: str | None = None) -> str:
        """Return the path of an address's file, existing or not; for `local`, the address itself.

        Raises
        ------
        InputError
            If the address does not belong to the source.
        """
        if (source, address) not in self._known:  # Snakemake asks for each file several times
            path, file, outer = raw_file(source, address, self.folder), None, address
            if is_fetched(source):
                outer, _ = split_member(address)
                file = f"{source}/{load_source(source).raw_path(outer)}"
            self._known[source, address] = path, file, outer
        path, file, outer = self._known[source, address]
        if file is not None:
            self.origins[file] = Origin(source, outer, sha256)
        return path

    def section(self, row: Mapping) -> str:
        """Return the file of a sheet's row, or its folder if the row is local."""
        return self.path(row["source"], row["path_or_id"])

    def positions(self, row: Mapping) -> str:
        """Return the position file of a sheet's row; empty if it names none."""
        return self.path(row["source"], row["positions"]) if row.get("positions") else ""

    def add_sheet(self, rows: Iterable[Mapping], cohort: str) -> None:
        """Plan the files of the rows of a cohort's sheet.

        Raises
        ------
        InputError
            If an address does not belong to its source. The message names cohort and sample.
        """
        for row in rows:
            try:
                self.section(row)
                self.positions(row)
            except InputError as error:
                where = f"cohort {cohort}, sample {row['sample']}"
                raise InputError(f"{where}: {error}") from error
