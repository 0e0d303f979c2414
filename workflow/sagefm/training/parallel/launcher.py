"""Processes that train together: torchrun's agent on each node, started, stopped and judged as one.

The agents (`parallel.agent`) start the processes, watch them, pass signals on and end all if one
fails. Here is what torchrun lacks: the job's log has what they write, the process that failed first
is named in one sentence, and none outlives the job.
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
"""Exit status of a job that a signal stopped, once its state is saved."""

LOST = 76
"""Exit status of a process that found another gone."""

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
"""What stops a training, which saves its state; SLURM's `srun` passes on the last alone."""

SETTINGS = "launch.json"


@dataclass(frozen=True)
class Launch:
    """Processes `python -m module FOLDER` that work together.

    `size` of them, as many on each of `nodes` nodes. The agents meet at `endpoint`, a host and its
    port (0: any that is free); the processes find each other by torchrun's variables of the
    environment (RANK, WORLD_SIZE, MASTER_ADDR, ...). In FOLDER they `read` this, `argument`
    included, and may leave a sentence for the user (`fail`) or that they were stopped (`stop`).
    """

    module: str
    argument: str
    size: int
    nodes: int = 1
    endpoint: str = "localhost:0"

    @classmethod
    def read(cls, folder: Path) -> "Launch":
        """The launch that a folder is of."""
        return cls(**json.loads((folder / SETTINGS).read_text()))

    def run(self, folder: Path, prefix: Sequence[str] = (), stop: int = signal.SIGTERM) -> int:
        """Run the processes to their end; SIGTERM, SIGINT and SIGUSR1 are passed on to all.

        Parameters
        ----------
        folder
            An empty folder that all nodes see.
        prefix
            The command that starts another on each node; nothing on this machine alone.
        stop
            The signal that `prefix` passes on.

        Returns
        -------
            0, or `STOPPED`.

        Raises
        ------
        InputError
            If a process failed: its own sentence, or else which one and how.
        """
        (folder / SETTINGS).write_text(json.dumps(asdict(self)))
        agent = subprocess.Popen(
            [*prefix, sys.executable, "-m", "sagefm.training.parallel.agent", str(folder)],
            stdin=subprocess.DEVNULL if prefix else subprocess.PIPE,  # see `follow_parent`
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches it once, through this process
        )
        with agent, _logged(agent), _passed_on(agent, stop) as passed:
            try:
                status = agent.wait()
            finally:
                agent.kill()
                if agent.stdin:
                    agent.stdin.close()  # what the agent may have left ends, and its stderr with it
        return self._verdict(folder, status, bool(passed))

    def _verdict(self, folder: Path, status: int, passed: bool) -> int:
        """What the agents wrote, their exit status and whether a signal was passed on come to."""
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
    """Run `size` processes of a module on this machine to their end; see `Launch.run`."""
    with tempfile.TemporaryDirectory(prefix="sagefm-") as folder:
        return Launch(module, argument, size).run(Path(folder))


def fail(folder: Path, sentence: str) -> None:
    """Leave the sentence that ends the job; the process then exits with a status of its own."""
    (folder / f"error-{os.environ['RANK']}").write_text(sentence)


def stop(folder: Path) -> None:
    """Leave word that this process was stopped, and has saved what is to be saved."""
    (folder / "stopped").touch()


def follow_parent() -> None:
    """End this process as soon as the job that launched it is gone, whose pipe is its stdin.

    On several nodes SLURM ends what a job leaves.
    """

    def watch() -> None:
        # Not through Python's buffer, which an exit must not find held.
        os.read(sys.stdin.fileno(), 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def on_stop(handler: Callable[..., None]) -> Iterator[None]:
    """Call `handler`, as `signal.signal` has it, at each of the signals that stop a training."""
    previous = {stop: signal.signal(stop, handler) for stop in STOPS}
    try:
        yield
    finally:
        for stop, before in previous.items():
            signal.signal(stop, before)


@contextmanager
def _passed_on(process: subprocess.Popen, as_signal: int) -> Iterator[list[int]]:
    """Pass the first signal to stop on to a process; yields those that came."""
    came: list[int] = []

    def handler(number: int, _: object) -> None:
        if not came:
            process.send_signal(as_signal)
        came.append(number)

    with on_stop(handler):
        yield came


@contextmanager
def _logged(process: subprocess.Popen) -> Iterator[None]:
    """Write what a process and its children write to stderr to the log, to the last line."""

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
