"""Raw files: fetched once, checked against the lock table, shared by all runs."""

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
    """Bring a raw file to its place, unless it is there; another job that brings it is waited for.

    Parameters
    ----------
    origin, file, folder
        Of a `plan.RawPlan`.
    per_host
        Most connections to a host, of all jobs together.

    Raises
    ------
    InputError
        If it cannot be had, is an archive cut off, or is not what `lock` has recorded; it never
        stands under its name then.
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
    """Hold a file to its row in the lock table, which it gets now if it has none."""
    size = path.stat().st_size
    lock.add(Locked(file, f"{origin.source}:{origin.address}", revision, str(size), obtained))
    lock.check(file, size, obtained)


def _locate(origin: Origin, file: str, lock: LockTable) -> Remote:
    """Where a file is to be had, in the state that was recorded for it or its collection."""
    source, address = origin.source, origin.address
    collection = getattr(load_source(source), "collection", None)
    name = f"{source}/{collection(address)}" if collection else ""
    known = lock.get(file)
    revision = known.revision if known else lock.revision(name)
    remote = locate(source, address, revision)
    if name and not revision:
        # Of two jobs that asked at once, the first decides.
        first = lock.add(Locked(name, revision=remote.revision)).revision
        if first != remote.revision:
            remote = locate(source, address, first)
    return remote


def record(origin: Origin, file: str, folder: str | Path, lock: LockTable) -> bool:
    """Add a raw file that is already there to the lock table, or check it against its row.

    Returns
    -------
    bool
        Whether it is there.

    Raises
    ------
    InputError
        If it is not what was recorded.
    """
    path = Path(folder) / file
    if not path.exists():
        return False
    _hold(lock, origin, file, path, sha256(path))
    return True
