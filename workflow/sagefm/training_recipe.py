"""What a training is made of, apart from where it runs."""

from dataclasses import dataclass

from sagefm.model import WIDTHS


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the defaults are the paper's (released code, 15fe51f).

    `batch_size` is that of a step, over all devices. `order` is `as_released` (spots never
    shuffled) or `shuffled`; `validation_masks` is `redrawn` every epoch, as released, or `fixed`;
    `precision` is `fp32`, `tf32` or `bf16`. `scheduler_patience` 10 acts on the 11th bad epoch, so
    that with `patience` 10 training stops before it ever does; the published values are kept.
    """

    network: str = "gcn"
    widths: tuple[int, ...] = WIDTHS
    learning_rate: float = 5e-5
    weight_decay: float = 1e-4
    epochs: int = 200
    batch_size: int = 64
    buffer_spots: int = 16_384
    patience: int = 10
    scheduler_patience: int = 10
    scheduler_factor: float = 0.9
    order: str = "shuffled"
    validation_masks: str = "fixed"
    precision: str = "fp32"
    seed: int = 9001
