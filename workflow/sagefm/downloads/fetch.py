"""Fetch raw files once, check them against the lock table and share them between runs."""

import logging
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from sagefm.common.io import sha256
from sagefm.downloads.archives import require_whole
from sagefm.downloads.lock import Locked, LockTable
from sagefm.downloads.plan import Origin
from sagefm.downloads.sources.base import ARCHIVES, Remote
from sagefm.downloads.sources.registry import load_source, locate
from sagefm.downloads.transfer import slot, transfer

log = logging.getLogger(__name__)


def bring(origin: Origin, file: str, folder: str | Path, lock: LockTable, per_host: int) -> None:
    """Fetch a raw file unless it exists; wait if another job is already fetching it.

    Parameters
    ----------
    origin, file, folder
        As in a `plan.RawPlan`.
    per_host
        Maximum number of connections to a host, over all jobs.

    Raises
    ------
    InputError
        If the file cannot be fetched, is a truncated archive, or differs from its record in `lock`.
        It is then not stored under its name.
    """
    destination = Path(folder) / file
    destination.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(destination.with_name(f".lock.{destination.name}")):
        if destination.exists():
            log.info("%s is there already", destination)
            return
        remote = _locate(origin, file, lock)
        remote = replace(remote, sha256=origin.sha256 or remote.sha256)

        def accept(part: Path, obtained: str) -> None:
            if file.lower().endswith(ARCHIVES):
                require_whole(part, destination.name)
            _hold(lock, origin, file, part, obtained, remote.revision)

        with slot(Path(folder) / ".slots", remote.url, per_host):
            obtained = transfer(remote, destination, accept)
        log.info("%s: fetched, sha256 %s", destination, obtained)


def _hold(
    lock: LockTable, origin: Origin, file: str, path: Path, obtained: str, revision: str = ""
) -> None:
    """Check a file against its row in the lock table; add the row if there is none."""
    size = path.stat().st_size
    lock.add(Locked(file, f"{origin.source}:{origin.address}", revision, str(size), obtained))
    lock.check(file, size, obtained)


def _locate(origin: Origin, file: str, lock: LockTable) -> Remote:
    """Locate a file in the state that is recorded for it or for its collection."""
    source, address = origin.source, origin.address
    collection = getattr(load_source(source), "collection", None)
    name = f"{source}/{collection(address)}" if collection else ""
    known = lock.get(file)
    revision = known.revision if known else lock.revision(name)
    remote = locate(source, address, revision)
    if name and not revision:
        # If two jobs ask at the same time, the first determines the revision.
        first = lock.add(Locked(name, revision=remote.revision)).revision
        if first != remote.revision:
            remote = locate(source, address, first)
    return remote


def record(origin: Origin, file: str, folder: str | Path, lock: LockTable) -> bool:
    """Add an existing raw file to the lock table, or check it against its row.

    Returns
    -------
    bool
        Whether the file exists.

    Raises
    ------
    InputError
        If the file differs from its record.
    """
    path = Path(folder) / file
    if not path.exists():
        return False
    _hold(lock, origin, file, path, sha256(path))
    return True
