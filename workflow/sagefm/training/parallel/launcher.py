"""Processes that train together: torchrun's agent on each node, run as one job.

The agents (`parallel.agent`) start the processes, watch them, pass signals on and end all if one
fails. This file adds what torchrun lacks. The job's log contains their output, one sentence names
the process that failed first, and no process outlives the job.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sagefm.common.errors import InputError

log = logging.getLogger(__name__)

STOPPED = 143
"""Exit status of a job stopped by a signal, after its state was saved."""

LOST = 76
"""Exit status of a process that lost contact with another."""

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
"""Signals at which a training saves its state and stops; SLURM's `srun` forwards only the last."""

SETTINGS = "launch.json"


@dataclass(frozen=True)
class Launch:
    """Processes `python -m module FOLDER` that work together.

    There are `size` processes, in equal numbers on `nodes` nodes. The agents meet at `endpoint`, a
    host and port (0: any free one). The processes find each other through torchrun's environment
    variables (RANK, WORLD_SIZE, MASTER_ADDR, ...). They `read` this object, including `argument`,
    from FOLDER. There they may leave a message for the user (`fail`) or record that they were
    stopped (`stop`).
    """

    module: str
    argument: str
    size: int
    nodes: int = 1
    endpoint: str = "localhost:0"

    @classmethod
    def read(cls, folder: Path) -> "Launch":
        """Read the launch from its folder."""
        return cls(**json.loads((folder / SETTINGS).read_text()))

    def run(self, folder: Path, prefix: Sequence[str] = (), stop: int = signal.SIGTERM) -> int:
        """Run the processes to their end, passing SIGTERM, SIGINT and SIGUSR1 on to all.

        Parameters
        ----------
        folder
            An empty folder visible to all nodes.
        prefix
            Command that starts the agent on each node; empty to run on this machine only.
        stop
            Signal that `prefix` passes on.

        Returns
        -------
            0, or `STOPPED`.

        Raises
        ------
        InputError
            If a process failed: its own message, otherwise its number and exit status.
        """
        (folder / SETTINGS).write_text(json.dumps(asdict(self)))
        agent = subprocess.Popen(
            [*prefix, sys.executable, "-m", "sagefm.training.parallel.agent", str(folder)],
            stdin=subprocess.DEVNULL if prefix else subprocess.PIPE,  # see `follow_parent`
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches it only once, through this process
        )
        with agent, _logged(agent), _passed_on(agent, stop) as passed:
            try:
                status = agent.wait()
            finally:
                agent.kill()
                if agent.stdin:
                    agent.stdin.close()  # ends processes it may have left; closes stderr
        return self._verdict(folder, status, bool(passed))

    def _verdict(self, folder: Path, status: int, passed: bool) -> int:
        """Return the exit status of the job, or raise an error, from the agents' reports."""
        for sentence in sorted(folder.glob("error-*")):
            raise InputError(sentence.read_text())
        reports = [json.loads(file.read_text()) for file in folder.glob("codes-*")]
        codes = {int(rank): code for report in reports for rank, code in report.items()}
        by_signal = {-stop for stop in STOPS} & set(codes.values())
        first = [rank for rank in sorted(codes) if codes[rank] not in (LOST, *by_signal)]
        if not first and (passed or by_signal or (folder / "stopped").exists()):
            return STOPPED
        if codes:
            rank = (first or sorted(codes))[0]
            raise InputError(
                f"process {rank} of the {self.size} that train together ended early "
                f"({_how(codes[rank])}) and stopped the others; see the log above and the memory "
                "of the job. Fix: start again; training continues from its last saved state."
            )
        if len(reports) < self.nodes:
            raise InputError(
                f"the launcher of the {self.size} processes that train together ended early "
                f"({_how(status)}); see the log above. Fix: start again; training continues from "
                "its last saved state."
            )
        return 0


def launch(module: str, argument: str, size: int) -> int:
    """Run `size` processes of a module on this machine to their end (see `Launch.run`)."""
    with tempfile.TemporaryDirectory(prefix="sagefm-") as folder:
        return Launch(module, argument, size).run(Path(folder))


def fail(folder: Path, sentence: str) -> None:
    """Write the message that ends the job; the process then exits with a non-zero status."""
    (folder / f"error-{os.environ['RANK']}").write_text(sentence)


def stop(folder: Path) -> None:
    """Record that this process was stopped and has saved its state."""
    (folder / "stopped").touch()


def follow_parent() -> None:
    """End this process when the job that launched it ends and closes the pipe to stdin.

    On several nodes, SLURM ends the remaining processes of a job.
    """

    def watch() -> None:
        # Not through Python's buffer, whose lock would block an exit.
        os.read(sys.stdin.fileno(), 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def on_stop(handler: Callable[..., None]) -> Iterator[None]:
    """Call `handler(number, frame)` at each of the signals that stop a training."""
    previous = {stop: signal.signal(stop, handler) for stop in STOPS}
    try:
        yield
    finally:
        for stop, before in previous.items():
            signal.signal(stop, before)


@contextmanager
def _passed_on(process: subprocess.Popen, as_signal: int) -> Iterator[list[int]]:
    """Pass the first signal to stop on to a process; yield the signals received."""
    came: list[int] = []

    def handler(number: int, _: object) -> None:
        if not came:
            process.send_signal(as_signal)
        came.append(number)

    with on_stop(handler):
        yield came


@contextmanager
def _logged(process: subprocess.Popen) -> Iterator[None]:
    """Log every line that a process and its children write to stderr."""

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            log.info("%s", line.rstrip())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        reader.join()


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"
