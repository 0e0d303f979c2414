"""Run a function in a separate process and measure its processor time and memory.

Processor time is used because load from other processes lengthens the wall-clock time.
"""

import ctypes
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple


class Measured(NamedTuple):
    """A function's result; processor time (s) and peak resident memory (GB) of its process."""

    result: Any
    seconds: float
    peak_gb: float


def seconds(work: Callable[[], object]) -> float:
    """Return the duration of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measured(work: Callable, *arguments: Any) -> Measured:
    """Run `work(*arguments)` in a new Python process (Linux only) that ends if this one does."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh, initializer=_follow_parent) as pool:
        return pool.submit(_run, work, arguments).result()


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


def _run(work: Callable, arguments: tuple) -> Measured:
    start = time.process_time()
    result = work(*arguments)
    return Measured(result, time.process_time() - start, _peak_gb())


def _peak_gb() -> float:
    # getrusage would report at least the parent's memory for a new process.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024 / 1e9
