"""A batch, and its transfer to the device that computes with it."""

from dataclasses import dataclass

import torch
from torch import Tensor

CPU = torch.device("cpu")


@dataclass
class Batch:
    """The network's input for a batch of spots, and its targets.

    `inputs` are the arguments of the network's `embed_{layout}`. `target` is float32 (spots, genes)
    for the central spots. `mask` is bool of the same shape, True for hidden genes. `context` holds
    further arguments of `decode`, if it takes any.
    """

    layout: str
    inputs: tuple[Tensor, ...]
    target: Tensor
    mask: Tensor
    context: tuple[Tensor, ...] = ()

    def to(self, device: torch.device) -> "Batch":
        """Return the same batch on a device."""

        def move(tensor: Tensor) -> Tensor:
            if device.type == "cuda":
                tensor = tensor.pin_memory()
            return tensor.to(device, non_blocking=True)

        inputs = tuple(move(tensor) for tensor in self.inputs)
        context = tuple(move(tensor) for tensor in self.context)
        return Batch(self.layout, inputs, move(self.target), move(self.mask), context)

    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors of the batch."""
        return (*self.inputs, self.target, self.mask, *self.context)


Sent = tuple[Batch, torch.cuda.Event | None]
"""A batch in transfer, and the event of its arrival (None on the CPU)."""


class Sender:
    """Copies batches to a GPU on a separate stream while it computes; does nothing on a CPU."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def send(self, batch: Batch) -> Sent:
        """Start the copy, from any thread; pass the result to `receive`."""
        if self.stream is None:
            return batch, None
        with torch.cuda.stream(self.stream):
            return batch.to(self.device), self.stream.record_event()

    def receive(self, sent: Sent) -> Batch:
        """Return the batch for use on the current stream, which waits for the copy."""
        batch, arrival = sent
        if arrival is not None:
            current = torch.cuda.current_stream(self.device)
            current.wait_event(arrival)
            for tensor in batch.tensors():  # otherwise its memory could be reused while in use
                tensor.record_stream(current)
        return batch
