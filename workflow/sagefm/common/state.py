"""Where the state of unfinished work is kept, and which process may write to it.

Snakemake deletes a job's declared outputs before it retries, so this state is not declared. Its
folder is named by a hash of the recipe and the input files. Work with another recipe or other data
never resumes from it.
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
    """Return the state folder for a recipe applied to the contents of `files`."""
    contents = [recipe, *(sha256(file) for file in files)]
    digest = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()
    return Path(root) / digest[:16]


def remembered(path: Path, compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return what `compute` returns, or what an earlier run of it wrote to `path` (npz)."""
    if not path.exists():
        arrays = compute()
        with atomic(path) as temporary:
            np.savez(temporary, allow_pickle=False, **arrays)
        return arrays
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Lock a state folder for this process.

    If Snakemake is killed, its training keeps running. The newer job asks that process to save and
    stop (SIGTERM), then continues from its state.

    Raises
    ------
    InputError
        If a process on another machine holds the folder, or the other process does not stop.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "owner").open("a+") as owner:
        _lock(owner, folder)
        owner.truncate(0)
        owner.write(f"{socket.gethostname()} {os.getpid()} {started(os.getpid())}")
        owner.flush()
        yield


def started(process: int) -> str:
    """Return when a process of this machine started, in clock ticks since boot (proc(5), field 22).

    This shows whether the system has since given the process id to another process. The result is
    empty if the process does not exist and "unknown" on a system without /proc.
    """
    if not Path("/proc/self/stat").exists():
        return "unknown"
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return text.rpartition(")")[2].split()[19]  # the name before it may contain spaces and brackets


def _lock(owner: TextIO, folder: Path) -> None:
    """Lock the open owner file; a process of this machine that holds it is asked to stop."""
    deadline = time.monotonic() + TAKEOVER_SECONDS
    asked, before = set(), ""
    while True:
        with suppress(BlockingIOError):
            return fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        owner.seek(0)
        text = owner.read()
        # A process that has just locked the file may not have written yet: the text is empty or
        # outdated.
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
