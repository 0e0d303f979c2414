"""The second layer of a network whose first layer moves along one column: one product, not levels.

A perturbation moves each unit of the first layer along a straight line, and leaky ReLU bends that
line only where the unit changes sign. So at every level the second layer gives what it gave
unperturbed, plus the shift times one product a spot, plus one term for each unit that changed
sign. That is exact however many do; it pays while they are few (about 2 % of 1,024 at levels from 0
to 3 log units).
"""

import numba
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

SLOPE = 0.01
"""Of leaky ReLU below 0: torch's default, which the networks take."""


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
        # Numba sets its config's names as it is imported, where a type checker does not see them.
        most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
        numba.set_num_threads(min(torch.get_num_threads(), most))
        arrays = (self.hidden, shift.contiguous(), column.contiguous(), self.columns, moved)
        _add_turned(*(array.numpy() for array in arrays))
        return moved


@numba.njit(parallel=True, nogil=True, cache=True)
def _add_turned(hidden, shift, column, weights, out):
    """Add to `out` what the units bring whose sign the shift has changed.

    Straight on, such a unit would bring `gate * x`; bent, it brings (1 - SLOPE) * |x| more, whether
    it rose above 0 or fell below.
    """
    levels, spots = shift.shape
    bend = np.float32(1 - SLOPE)
    for row in numba.prange(levels * spots):
        level, spot = row // spots, row % spots
        for unit in range(len(column)):
            before = hidden[spot, unit]
            now = before + shift[level, spot] * column[unit]
            if (now > 0) != (before > 0):
                extra = bend * abs(now)
                for k in range(weights.shape[1]):
                    out[level, spot, k] += extra * weights[unit, k]
