"""Several processes that work together on this machine: started, stopped and ended as one."""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sagefm.common.errors import InputError

log = logging.getLogger(__name__)

STOPPED = 143
"""Exit status of a process that was told to stop, and did."""

LOST = 76
"""Exit status of a process that found another gone."""

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
"""What stops a training, which saves its state; SLURM's `srun` passes on the last alone."""

ARGUMENT = "argument"
"""The file in which processes find what they are to do: a command line may be too short for it."""

LIBRARY = str(Path(__file__).parents[3])

SETTLE_SECONDS = 5.0
"""How long the one that failed first is waited for, once others have missed it."""


def launch(module: str, argument: str, size: int) -> int:
    """Run `size` processes of a module on this machine to their end; see `run_ranks`.

    Returns
    -------
        0, or `STOPPED` if they were told to stop.

    Raises
    ------
    InputError
        If one failed, with its sentence, or else saying which and how.
    """
    with tempfile.TemporaryDirectory(prefix="sagefm-") as name:
        folder = Path(name)
        (folder / ARGUMENT).write_text(argument)
        codes = run_ranks(module, range(size), size, f"file://{folder}/meeting", folder)
        return verdict(codes, folder)


def run_ranks(
    module: str, ranks: Sequence[int], size: int, meeting: str, folder: Path
) -> list[int | None]:
    """Run `python -m module RANK SIZE MEETING FOLDER` for some ranks of `size` to their end.

    What they write to stderr goes to the log. SIGTERM, SIGINT and SIGUSR1 are passed on to all; if
    one ends badly the others are ended. A process ends with this one, whatever ends it
    (`follow_parent`). By the address MEETING they find each other. In FOLDER, which all ranks
    see, is their argument (`ARGUMENT`), and they may leave a sentence for the user in `error-RANK`.

    Returns
    -------
        Their exit statuses; None of those that were ended because of another.
    """
    processes = [
        start(
            [sys.executable, "-m", module, str(rank), str(size), meeting, str(folder)],
            stdin=subprocess.PIPE,
        )
        for rank in ranks
    ]
    with logged(processes):
        try:
            with passed_on(processes, signal.SIGTERM):
                return _wait(processes)
        finally:
            for process in processes:
                process.kill()
                process.wait()


def start(command: Sequence[str], stdin: int) -> subprocess.Popen:
    """Start a process that can import this library, and whose stderr is to be `logged`."""
    paths = [LIBRARY, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        stdin=stdin,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


def follow_parent() -> None:
    """End this process as soon as the one that launched it is gone, whose pipe it holds."""

    def watch() -> None:
        # Not through Python's buffer, which an exit must not find held.
        os.read(sys.stdin.fileno(), 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def logged(processes: Sequence[subprocess.Popen]) -> Iterator[None]:
    """Write what processes say on stderr to the log, to the last line."""

    def read(process: subprocess.Popen) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            log.info("%s", line.rstrip())

    readers = [threading.Thread(target=read, args=(process,)) for process in processes]
    for reader in readers:
        reader.start()
    try:
        yield
    finally:
        for reader in readers:
            reader.join()


def passed_on(
    processes: Sequence[subprocess.Popen], as_signal: signal.Signals
) -> AbstractContextManager[None]:
    """Pass the signals that stop a training on to processes that still run, as one of them."""

    def tell(*_: object) -> None:
        for process in processes:
            process.send_signal(as_signal)

    return on_stop(tell)


@contextmanager
def on_stop(handler: Callable[..., None]) -> Iterator[None]:
    """Call `handler`, as `signal.signal` has it, at each of the signals that stop a training."""
    previous = {stop: signal.signal(stop, handler) for stop in STOPS}
    try:
        yield
    finally:
        for stop, before in previous.items():
            signal.signal(stop, before)


def _wait(processes: list[subprocess.Popen]) -> list[int | None]:
    """Wait until all have ended, or one has ended badly: the exit statuses, None while it runs.

    One that missed another is no cause: that other is waited for, shortly.
    """
    deadline = float("inf")
    while True:
        codes = [process.poll() for process in processes]
        if None not in codes or any(code not in (None, 0, STOPPED, LOST) for code in codes):
            return codes
        if LOST in codes:
            deadline = min(deadline, time.monotonic() + SETTLE_SECONDS)
        if time.monotonic() > deadline:
            return codes
        time.sleep(0.05)


def verdict(codes: Sequence[int | None], folder: Path) -> int:
    """What the exit statuses of all processes, by rank, come to: see `launch`."""
    if not any(codes) and None not in codes:
        return 0
    for rank in range(len(codes)):
        if (sentence := folder / f"error-{rank}").exists():
            raise InputError(sentence.read_text())
    stopped = (STOPPED, *(-stop for stop in STOPS))
    bad = [rank for rank, code in enumerate(codes) if code not in (None, 0, LOST, *stopped)]
    if not bad and any(code in stopped for code in codes):
        return STOPPED
    rank = (bad or [rank for rank, code in enumerate(codes) if code != 0])[0]
    code = codes[rank]
    how = "it left no word" if code is None else f"exit status {code}"
    how = signal.Signals(-code).name if code and code < 0 else how
    raise InputError(
        f"process {rank} of the {len(codes)} that train together ended early ({how}), and the "
        "others with it; see the log above and the job's memory, then start again: training goes "
        "on from its last saved state."
    )
