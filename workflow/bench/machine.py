"""The machine that measures: its processor, and whether it is quiet enough."""

import os
import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import torch

from bench.measured import seconds
from sagefm.networks.device import one_thread

ROUNDS, SIDE = 3, 1024
"""Products of the calibration, and the side of their square matrices."""

AGREE = 1.1
"""The slowest product of the calibration may take so many times the fastest one's time."""

LOAD = 0.3
"""Most processes that run or wait, a core, over the last minute."""

EXTENSIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
"""Instruction sets that matrix products use, as Linux names them."""


def processor(cpuinfo: str, cores: int) -> str:
    """A processor in words, from what Linux says of it in /proc/cpuinfo."""
    name = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    flags = re.search(r"^flags\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    known = set(flags[1].split()) if flags else set()
    has = [extension for extension in EXTENSIONS if extension in known]
    words = f" ({', '.join(has)})" if has else ""
    return f"{name[1].strip() if name else 'unknown processor'}{words}, {cores} cores"


def this_machine() -> str:
    """The processor that runs this in words, with the date."""
    path = Path("/proc/cpuinfo")
    text = path.read_text() if path.exists() else ""
    return f"{processor(text, os.cpu_count() or 1)}, {date.today().isoformat()}"


def product_seconds() -> list[float]:
    """Seconds of a matrix product on one thread, `ROUNDS` times, after one that warms up."""
    square = torch.rand(SIDE, SIDE)
    with one_thread():
        return [seconds(lambda: square @ square) for _ in range(ROUNDS + 1)][1:]


def why_busy(load: float, cores: int, seconds: Sequence[float]) -> str:
    """Why measurements would mean little: one sentence, empty on a quiet machine.

    Parameters
    ----------
    load
        Processes that run or wait, the mean of the last minute.
    seconds
        Of the same work, several times.
    """
    if load > LOAD * cores:
        return f"the machine is busy: a load of {load:.1f} on {cores} cores"
    if (apart := max(seconds) / min(seconds)) > AGREE:
        return f"the machine is not steady: the same product takes up to {apart:.2f} times as long"
    return ""


def busy_now(measure: Callable[[], Sequence[float]] = product_seconds) -> str:
    """`why_busy`, of this machine now."""
    return why_busy(os.getloadavg()[0], os.cpu_count() or 1, measure())
