"""What a processor can do at most: the rates that stages are held against, one thread."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch

from bench.measured import seconds
from sagefm.sections.batch import CPU

ROUNDS = 5


def best_seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The shortest of several runs."""
    return min(seconds(work) for _ in range(rounds))


def fill_rate(size: int) -> float:
    """Bytes a second at which new memory of so many bytes is filled."""
    return size / best_seconds(lambda: np.full(size // 4, 1.0, dtype=np.float32))


def dense_seconds(rows: int, widths: Sequence[int]) -> float:
    """Seconds of the bare products of some rows through layers of these widths."""
    layers = [
        (torch.rand(rows, wide), torch.rand(narrow, wide)) for wide, narrow in pairwise(widths)
    ]

    def work() -> None:
        for x, weight in layers:
            x @ weight.T

    return best_seconds(work)


def product_rate(rows: int = 2048, device: torch.device = CPU) -> float:
    """Floating-point operations a second of a square product; on a GPU, of a small one."""
    square = torch.rand(rows, rows, device=device)
    # Finished at `item`, so that work queued on a GPU is counted.
    return 2 * rows**3 / best_seconds(lambda: (square @ square)[0, 0].item())
