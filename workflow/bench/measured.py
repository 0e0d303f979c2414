"""Run a function in a separate process and measure its processor time and memory.

Processor time is used because load from other processes lengthens the wall-clock time.
"""

import ctypes
import multiprocessing
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Environment variables from which libraries read their number of threads."""


class Measured(NamedTuple):
    """A function's result; processor time (s) and peak resident memory (GB) of its process.

    Programs that it ran count too: their processor time, and the memory of the largest one if it
    needed more than the process itself.
    """

    result: Any
    seconds: float
    peak_gb: float


def seconds(work: Callable[[], object]) -> float:
    """Return the duration of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measured(work: Callable, *arguments: Any, threads: int = 1) -> Measured:
    """Run `work(*arguments)` in a new Python process (Linux only) that ends if this one does.

    `threads` limits the libraries that read their number of threads from the environment, as
    Snakemake does for its jobs: the BLAS of numpy and scipy, and torch unless it is told otherwise.
    """
    fresh = multiprocessing.get_context("spawn")
    with (
        _threads_of_children(threads),
        ProcessPoolExecutor(1, mp_context=fresh, initializer=_follow_parent) as pool,
    ):
        return pool.submit(_run, work, arguments).result()


@contextmanager
def _threads_of_children(threads: int) -> Iterator[None]:
    """Set the number of threads in the environment of processes started within the context."""
    before = dict(os.environ)
    os.environ.update(dict.fromkeys(THREADS, str(threads)))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _follow_parent() -> None:
    """End this process once its parent is gone, even if it ignores SIGTERM."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def end_with_parent() -> None:
    """Have Linux kill this process once its parent is gone; call it before a child's program."""
    death_signal = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>
    ctypes.CDLL(None).prctl(death_signal, signal.SIGKILL)


def run_group(command: Sequence[str], **options: Any) -> int:
    """Run a program and return its exit status; all it started ends with it, or if this is stopped.

    `options` are those of `subprocess.Popen`.
    """
    process = subprocess.Popen(
        command, start_new_session=True, preexec_fn=end_with_parent, **options
    )
    try:
        return process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _run(work: Callable, arguments: tuple) -> Measured:
    start = _processor_seconds()
    result = work(*arguments)
    return Measured(result, _processor_seconds() - start, _peak_gb())


def children_seconds() -> float:
    """Return the processor seconds of this process's children so far that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def _processor_seconds() -> float:
    return time.process_time() + children_seconds()


def _peak_gb() -> float:
    # getrusage would report at least the parent's memory for a new process.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return max(int(status["VmHWM"].split()[0]), children.ru_maxrss) * 1024 / 1e9
