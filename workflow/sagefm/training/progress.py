"""Progress of a training."""

from dataclasses import dataclass, field

HISTORY = (
    "epoch",
    "train_loss",
    "validation_loss",
    "validation_mse",
    "learning_rate",
    "seconds",
    "spots_per_second",
)
"""Columns recorded for each epoch."""


@dataclass
class Progress:
    """State of a training: the next batch of the current epoch, and results so far.

    `loss` and `weight` are sums over the batches of the epoch at the last save (see
    `running_sums`).
    """

    epoch: int = 1
    batch: int = 0
    loss: float = 0.0
    weight: float = 0.0
    seconds: float = 0.0
    best_epoch: int = 0
    best_val_loss: float = float("inf")
    history: list[dict] = field(default_factory=list)
