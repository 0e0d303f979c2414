"""Upper limits of one processor thread, with which stages are compared."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch

from bench.measured import seconds
from sagefm.sections.batch import CPU

ROUNDS = 5


def best_seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the shortest duration of several runs."""
    return min(seconds(work) for _ in range(rounds))


def fill_rate(size: int) -> float:
    """Return the rate, in bytes per second, at which `size` bytes of new memory are filled."""
    return size / best_seconds(lambda: np.full(size // 4, 1.0, dtype=np.float32))


def dense_seconds(rows: int, widths: Sequence[int]) -> float:
    """Return the seconds that the bare matrix products of `rows` rows take through these layers."""
    layers = [
        (torch.rand(rows, wide), torch.rand(narrow, wide)) for wide, narrow in pairwise(widths)
    ]

    def work() -> None:
        for x, weight in layers:
            x @ weight.T

    return best_seconds(work)


def product_rate(rows: int = 2048, device: torch.device = CPU) -> float:
    """Return floating-point operations per second of a square product; a small one on a GPU."""
    square = torch.rand(rows, rows, device=device)
    # `item` waits until the work queued on a GPU is done.
    return 2 * rows**3 / best_seconds(lambda: (square @ square)[0, 0].item())
