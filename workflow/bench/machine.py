"""The machine that measures: its processor, and whether it is idle enough."""

import os
import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import torch

from bench.measured import seconds
from sagefm.networks.device import one_thread

ROUNDS, SIDE = 3, 1024
"""Number of calibration products, and the side of their square matrices."""

AGREE = 1.1
"""Largest accepted ratio between the slowest and the fastest calibration product."""

LOAD = 0.3
"""Largest accepted load per core: running or waiting processes, averaged over the last minute."""

EXTENSIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
"""Instruction sets that matrix products use, as Linux names them."""


def processor(cpuinfo: str, cores: int) -> str:
    """Describe a processor in words, from the contents of /proc/cpuinfo."""
    name = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    flags = re.search(r"^flags\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    known = set(flags[1].split()) if flags else set()
    has = [extension for extension in EXTENSIONS if extension in known]
    words = f" ({', '.join(has)})" if has else ""
    return f"{name[1].strip() if name else 'unknown processor'}{words}, {cores} cores"


def this_machine() -> str:
    """Describe this machine's processor in words, with the date."""
    path = Path("/proc/cpuinfo")
    text = path.read_text() if path.exists() else ""
    return f"{processor(text, os.cpu_count() or 1)}, {date.today().isoformat()}"


def product_seconds() -> list[float]:
    """Time a matrix product on one thread `ROUNDS` times, after one warm-up."""
    square = torch.rand(SIDE, SIDE)
    with one_thread():
        return [seconds(lambda: square @ square) for _ in range(ROUNDS + 1)][1:]


def why_busy(load: float, cores: int, seconds: Sequence[float]) -> str:
    """Explain in one sentence why the machine is too busy to measure; empty if it is idle.

    Parameters
    ----------
    load
        Running or waiting processes, averaged over the last minute.
    seconds
        Durations of several runs of the same work.
    """
    if load > LOAD * cores:
        return f"the machine is busy: a load of {load:.1f} on {cores} cores"
    if (apart := max(seconds) / min(seconds)) > AGREE:
        return f"the machine is not steady: the same product takes up to {apart:.2f} times as long"
    return ""


def busy_now(measure: Callable[[], Sequence[float]] = product_seconds) -> str:
    """Apply `why_busy` to this machine now."""
    return why_busy(os.getloadavg()[0], os.cpu_count() or 1, measure())
