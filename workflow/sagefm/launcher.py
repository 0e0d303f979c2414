"""Several processes that work together on this machine: started, stopped and ended as one."""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagefm.errors import InputError

log = logging.getLogger(__name__)

STOPPED = 143
"""Exit status of a process that was told to stop, and did."""

LOST = 76
"""Exit status of a process that found another gone."""

LIBRARY = str(Path(__file__).parents[1])

SETTLE_SECONDS = 5.0
"""How long the one that failed first is waited for, once others have missed it."""


def launch(module: str, argument: str, size: int) -> int:
    """Run `python -m module argument RANK SIZE FOLDER` in `size` processes to their end.

    What they write to stderr goes to the log. SIGTERM and SIGINT are passed on to all; if one ends
    badly the others are ended. A process ends with this one, whatever ends it (`follow_parent`).
    In FOLDER, new and empty, they may meet, and leave a sentence for the user in `error-RANK`.

    Returns
    -------
        0, or `STOPPED` if they were told to stop.

    Raises
    ------
    InputError
        If one failed, with its sentence, or else saying which and how.
    """
    with tempfile.TemporaryDirectory(prefix="sagefm-") as folder:
        command = [sys.executable, "-m", module, argument]
        paths = [LIBRARY, *filter(None, [os.environ.get("PYTHONPATH")])]
        processes = [
            subprocess.Popen(
                [*command, str(rank), str(size), folder],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
            for rank in range(size)
        ]
        readers = [threading.Thread(target=_read, args=(process,)) for process in processes]
        for reader in readers:
            reader.start()
        try:
            with _passed_on(processes):
                codes = _wait(processes)
        finally:
            for process in processes:
                process.kill()
                process.wait()
            for reader in readers:
                reader.join()
        return _verdict(codes, Path(folder))


def follow_parent() -> None:
    """End this process as soon as the one that launched it is gone, whose pipe it holds."""

    def watch() -> None:
        # Not through Python's buffer, which an exit must not find held.
        os.read(sys.stdin.fileno(), 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _read(process: subprocess.Popen) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        log.info("%s", line.rstrip())


@contextmanager
def _passed_on(processes: list[subprocess.Popen]) -> Iterator[None]:
    """Pass SIGTERM and SIGINT on, as SIGTERM, to processes that still run."""

    def tell(*_: object) -> None:
        for process in processes:
            process.send_signal(signal.SIGTERM)

    stops = (signal.SIGTERM, signal.SIGINT)
    previous = {stop: signal.signal(stop, tell) for stop in stops}
    try:
        yield
    finally:
        for stop, handler in previous.items():
            signal.signal(stop, handler)


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


def _verdict(codes: list[int | None], folder: Path) -> int:
    """What the exit statuses of all processes come to."""
    if not any(codes) and None not in codes:
        return 0
    for rank in range(len(codes)):
        if (sentence := folder / f"error-{rank}").exists():
            raise InputError(sentence.read_text())
    stopped = (STOPPED, -signal.SIGTERM)
    bad = [rank for rank, code in enumerate(codes) if code not in (None, 0, LOST, *stopped)]
    if not bad and any(code in stopped for code in codes):
        return STOPPED
    rank = bad[0] if bad else codes.index(LOST)
    code = codes[rank] or 0
    how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
    raise InputError(
        f"process {rank} of the {len(codes)} that train together ended early ({how}), and the "
        "others with it; see the log above and the job's memory, then start again: training goes "
        "on from its last saved state."
    )
