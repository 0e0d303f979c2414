"""Where the state of unfinished work lies, and who may write to it.

Snakemake deletes a job's declared outputs before it tries again, so this state is not one of them.
Its folder is named by a hash of the recipe and of the input files: another recipe or other data
never resume from it.
"""

import fcntl
import hashlib
import json
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from sagefm.common.errors import InputError
from sagefm.common.io import atomic, sha256

log = logging.getLogger(__name__)

TAKEOVER_SECONDS = 120


def state_folder(root: str | Path, recipe: dict, files: Sequence[str | Path]) -> Path:
    """Folder of the state of what `recipe` makes of the contents of `files`."""
    contents = [recipe, *(sha256(file) for file in files)]
    digest = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()
    return Path(root) / digest[:16]


def remembered(path: Path, compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """A part of long work: what `compute` returns, or what an earlier run wrote to `path` (npz)."""
    if not path.exists():
        arrays = compute()
        with atomic(path) as temporary:
            np.savez(temporary, allow_pickle=False, **arrays)
        return arrays
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a state folder for this process alone.

    A Snakemake that was killed leaves its training running. The newer job asks that process to save
    and stop (SIGTERM), then goes on from where it stood.

    Raises
    ------
    InputError
        If another machine holds the folder, or the other process does not stop.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "owner").open("a+") as owner:
        _lock(owner, folder)
        owner.seek(0)
        owner.truncate()
        owner.write(f"{socket.gethostname()} {os.getpid()}")
        owner.flush()
        yield


def _lock(owner, folder: Path) -> None:
    deadline = time.monotonic() + TAKEOVER_SECONDS
    asked: set[int] = set()
    while True:
        try:
            return fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner.seek(0)
            host, _, pid = owner.read().partition(" ")
            if host != socket.gethostname() or time.monotonic() > deadline:
                raise InputError(
                    f"{folder}: process {pid or '?'} on {host or '?'} is at this very work; "
                    "wait for it, or stop it, and start again."
                ) from None
            if int(pid) not in asked:
                log.info("process %s of an earlier run is at this work: taking over", pid)
                asked.add(int(pid))
                with suppress(ProcessLookupError):  # it has just ended, or just handed over
                    os.kill(int(pid), signal.SIGTERM)
            time.sleep(0.2)
