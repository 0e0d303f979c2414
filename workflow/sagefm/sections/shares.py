"""Batches shared out among processes that train together."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

Pieces = list[tuple[int, np.ndarray]]
"""A batch as rows of chunks: the chunk's number, and which of its rows."""

T = TypeVar("T")


def shares(batches: Iterable[Pieces], rank: int, size: int) -> Iterator[Pieces]:
    """One process's share of each batch: consecutive rows, as many as the others' or one more.

    A batch of fewer rows than there are processes leaves some without a share, and is skipped.
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
    """As many batches as all processes count, None for those that this one has no share of."""
    source = iter(batches)
    for _ in range(number):
        yield next(source, None)
