"""Sums over the batches of an epoch, which a device need not be waited for."""

import torch
from torch import Tensor


class RunningSums:
    """Sums of numbers, kept on a device: adding to them waits for nothing.

    Parameters
    ----------
    device
        Where the numbers are computed.
    sums
        What they begin with, by name.
    """

    def __init__(self, device: torch.device, **sums: float) -> None:
        self._names = tuple(sums)
        self._sums = torch.tensor([*sums.values()], dtype=torch.float64, device=device)

    def add(self, *values: Tensor | float) -> None:
        """Add a number, or a tensor of one, to each sum."""
        sums = self._sums
        own = [torch.as_tensor(value, dtype=sums.dtype, device=sums.device) for value in values]
        self._sums = sums + torch.stack(own)

    def read(self) -> dict[str, float]:
        """The sums by name, once the device has computed them."""
        return dict(zip(self._names, self._sums.tolist(), strict=True))
