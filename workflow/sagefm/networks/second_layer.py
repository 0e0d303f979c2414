"""The second layer of a network whose first layer moves along one column: one product, not levels.

A perturbation moves each unit of the first layer along a straight line, and leaky ReLU bends that
line only where the unit changes sign. So at every level the second layer gives what it gave
unperturbed, plus the shift times one product a spot, plus one term for each unit that changed
sign. That is exact however many do; it pays while they are few (about 2 % of 1,024 at levels from 0
to 3 log units).
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import numpy as np
import torch
from numba import njit
from torch import Tensor
from torch.nn import functional

SLOPE = 0.01
"""Slope of leaky ReLU below 0: torch's default, which the networks use."""


class SecondLayer:
    """Of some spots, with first layer `hidden` (spots, width) unperturbed; on the CPU.

    `weight` (narrow, width) and `bias` (narrow,) are the second layer's.
    """

    def __init__(self, hidden: Tensor, weight: Tensor, bias: Tensor) -> None:
        self.hidden, self.columns = hidden, weight.T.contiguous()
        self.unperturbed = functional.linear(functional.leaky_relu(hidden, SLOPE), weight, bias)
        self.gate = torch.where(hidden > 0, 1.0, SLOPE)

    def shifted(self, shift: Tensor, column: Tensor) -> Tensor:
        """The layer's output (levels, spots, narrow), before its own non-linearity.

        Parameters
        ----------
        shift
            (levels, spots): how far along `column` (width,) the first layer is moved.
        """
        moved = torch.addcmul(
            self.unperturbed, shift[..., None], (self.gate * column) @ self.columns
        )
        arrays = (self.hidden, shift.contiguous(), column.contiguous(), self.columns, moved)
        given = [array.numpy() for array in arrays]
        threads = torch.get_num_threads()
        ends = np.linspace(0, len(self.hidden), threads + 1).astype(int)
        list(_pool(threads).map(partial(_add_turned, *given), ends[:-1], ends[1:]))
        return moved


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Python's threads: those of a parallel numba function spin while they wait for one another."""
    return ThreadPoolExecutor(threads)


@njit(nogil=True, cache=True)
def _add_turned(hidden, shift, column, weights, out, start, end):
    """Add to `out`, of some spots, what the units bring whose sign the shift has changed.

    Straight on, such a unit would bring `gate * x`; bent, it brings (1 - SLOPE) * |x| more, whether
    it rose above 0 or fell below.
    """
    bend = np.float32(1 - SLOPE)
    for spot in range(start, end):
        for level in range(len(shift)):
            for unit in range(len(column)):
                before = hidden[spot, unit]
                now = before + shift[level, spot] * column[unit]
                if (now > 0) != (before > 0):
                    extra = bend * abs(now)
                    for k in range(weights.shape[1]):
                        out[level, spot, k] += extra * weights[unit, k]
