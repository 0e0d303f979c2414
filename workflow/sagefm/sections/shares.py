"""Divide batches among processes that train together."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

Pieces = list[tuple[int, np.ndarray]]
"""A batch as rows of chunks: the number of each chunk, and its rows."""

T = TypeVar("T")


def shares(batches: Iterable[Pieces], rank: int, size: int) -> Iterator[Pieces]:
    """Yield one process's share of each batch: consecutive rows, equal in number up to one.

    A batch with fewer rows than processes would leave some without a share, and is skipped.
    """
    for pieces in batches:
        rows = sum(len(own) for _, own in pieces)
        start, end = rows * rank // size, rows * (rank + 1) // size
        own, before = [], 0
        for index, taken in pieces:
            part = taken[max(start - before, 0) : max(end - before, 0)]
            before += len(taken)
            if len(part):
                own.append((index, part))
        if own:
            yield own


def padded(batches: Iterable[T], number: int) -> Iterator[T | None]:
    """Yield as many batches as all processes count, with None where this process has no share."""
    source = iter(batches)
    for _ in range(number):
        yield next(source, None)
