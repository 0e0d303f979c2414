"""Where the state of unfinished work is, and who may write to it.

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
from typing import TextIO

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
    and stop (SIGTERM), then continues from its state.

    Raises
    ------
    InputError
        If another machine holds the folder, or the other process does not stop.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "owner").open("a+") as owner:
        _lock(owner, folder)
        owner.truncate(0)
        owner.write(f"{socket.gethostname()} {os.getpid()} {started(os.getpid())}")
        owner.flush()
        yield


def started(process: int) -> str:
    """When a process of this machine started, in clock ticks since boot (proc(5), field 22).

    It reveals a process number that the system has since given to another process.
    Empty if there is no such process; "unknown" on a system without /proc.
    """
    if not Path("/proc/self/stat").exists():
        return "unknown"
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return text.rpartition(")")[2].split()[19]  # the name before may hold spaces and brackets


def _lock(owner: TextIO, folder: Path) -> None:
    """Lock the open file of the owner, whose process is asked to stop."""
    deadline = time.monotonic() + TAKEOVER_SECONDS
    asked, before = set(), ""
    while True:
        with suppress(BlockingIOError):
            return fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        owner.seek(0)
        text = owner.read()
        # Who has just locked the file may not have written yet: it is empty, or of the last owner.
        host, process, since = text.split() if text.count(" ") == 2 else ("", "", "")
        here = host == socket.gethostname()
        if (host and not here and text == before) or time.monotonic() > deadline:
            raise InputError(
                f"{folder}: another process ({process or 'unknown'} on {host or 'unknown'}) is "
                "already running this step. Fix: wait for it to end, or stop it, and start again."
            )
        if here and text not in asked and since == started(int(process)):
            log.info("process %s of an earlier run is at this work: taking over", process)
            asked.add(text)
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(int(process), signal.SIGTERM)
        before = text
        time.sleep(0.2)
