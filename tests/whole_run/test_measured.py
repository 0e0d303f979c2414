"""Measurements run in a separate process, which ends with its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.measured import measured
from support.threads import blas_threads

MEASURE = """
import os, signal, sys, time
from pathlib import Path
from bench.measured import measured

def work(path):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(path).write_text(str(os.getpid()))
    time.sleep(600)

if __name__ == "__main__":
    measured(work, sys.argv[1])
"""

RUN = """
import signal, sys
from bench.measured import run_group

signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
run_group(["sh", "-c", f"sleep 600 & echo $! > {sys.argv[1]}; wait"])
"""


def is_running(process: str) -> bool:
    """Whether a process has not ended; one that nobody waited for is still listed."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("script", "number", "status"),
    [
        (MEASURE, signal.SIGTERM, -signal.SIGTERM),
        (MEASURE, signal.SIGKILL, -signal.SIGKILL),
        (RUN, signal.SIGTERM, 1),
    ],
)
def test_what_was_started_ends_with_the_one_that_started_it(repo, tmp_path, script, number, status):
    (tmp_path / "measure.py").write_text(script)
    started = tmp_path / "process"
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "measure.py", started],
        env=os.environ | {"PYTHONPATH": str(repo / "workflow")},
    )
    deadline = time.monotonic() + 120
    while not (started.exists() and started.read_text()):
        assert parent.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    parent.send_signal(number)
    assert parent.wait(10) == status
    ended = time.monotonic()
    while is_running(started.read_text().strip()):
        assert time.monotonic() - ended < 20
        time.sleep(0.05)


@pytest.mark.parametrize("threads", [1, 2])
def test_numpy_multiplies_on_as_many_threads_as_said(monkeypatch, threads):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    before = dict(os.environ)
    found = measured(blas_threads, threads=threads)
    assert found.result == {threads}
    assert dict(os.environ) == before
