"""One batch, and its way to the device that computes with it."""

from dataclasses import dataclass

import torch
from torch import Tensor

CPU = torch.device("cpu")


@dataclass
class Batch:
    """One batch: the network's input, and what it is to predict.

    `inputs` are the arguments of the network's `embed_{layout}`; `target` is float32 (spots, genes)
    of the central spots, `mask` bool of the same shape, True where the gene was hidden. `context`
    are further arguments of its `decode`, if it takes any.
    """

    layout: str
    inputs: tuple[Tensor, ...]
    target: Tensor
    mask: Tensor
    context: tuple[Tensor, ...] = ()

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""

        def move(tensor: Tensor) -> Tensor:
            if device.type == "cuda":
                tensor = tensor.pin_memory()
            return tensor.to(device, non_blocking=True)

        inputs = tuple(move(tensor) for tensor in self.inputs)
        context = tuple(move(tensor) for tensor in self.context)
        return Batch(self.layout, inputs, move(self.target), move(self.mask), context)

    def tensors(self) -> tuple[Tensor, ...]:
        """All that it holds."""
        return (*self.inputs, self.target, self.mask, *self.context)


Sent = tuple[Batch, torch.cuda.Event | None]
"""A batch on its way, and the event of its arrival; None on the CPU."""


class Sender:
    """Copies batches to a GPU on a stream of their own, beside the computing; on a CPU, nothing."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def send(self, batch: Batch) -> Sent:
        """Start the copy, in any thread; for `receive`."""
        if self.stream is None:
            return batch, None
        with torch.cuda.stream(self.stream):
            return batch.to(self.device), self.stream.record_event()

    def receive(self, sent: Sent) -> Batch:
        """The batch, to be used on the current stream, which waits for the copy."""
        batch, arrival = sent
        if arrival is not None:
            current = torch.cuda.current_stream(self.device)
            current.wait_event(arrival)
            for tensor in batch.tensors():  # or its memory could be given away while it is used
                tensor.record_stream(current)
        return batch
