"""Sums over the batches of an epoch that do not wait for the device."""

import torch
from torch import Tensor


class RunningSums:
    """Sums held on a device, so that adding to them does not wait for it.

    Parameters
    ----------
    device
        Device that computes the numbers.
    sums
        Initial values, by name.
    """

    def __init__(self, device: torch.device, **sums: float) -> None:
        self._names = tuple(sums)
        self._sums = torch.tensor([*sums.values()], dtype=torch.float64, device=device)

    def add(self, *values: Tensor | float) -> None:
        """Add a number, or a tensor with one element, to each sum."""
        sums = self._sums
        own = [torch.as_tensor(value, dtype=sums.dtype, device=sums.device) for value in values]
        self._sums = sums + torch.stack(own)

    def read(self) -> dict[str, float]:
        """Return the sums by name, once the device has computed them."""
        return dict(zip(self._names, self._sums.tolist(), strict=True))
