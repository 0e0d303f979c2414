"""How far a training has come."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

HISTORY = (
    "epoch",
    "train_loss",
    "validation_loss",
    "validation_mse",
    "learning_rate",
    "seconds",
    "spots_per_second",
)
"""What is written down of an epoch."""


@dataclass
class Progress:
    """The state of a training: the next batch of the current epoch, and what came before.

    `loss` and `weight` are sums over the epoch's batches, as saved; see `RunningSums`.
    """

    epoch: int = 1
    batch: int = 0
    loss: float = 0.0
    weight: float = 0.0
    seconds: float = 0.0
    best_epoch: int = 0
    best_val_loss: float = float("inf")
    history: list[dict] = field(default_factory=list)


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
