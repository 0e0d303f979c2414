"""Batches made on a GPU that holds their sections, if it has room for them.

No part of a batch then passes through the CPU: an epoch's order is sent at once, masks are drawn
where they are used, and no step waits for a number from the device. The same code runs on the CPU.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from sagefm.sections.batch import CPU, Batch
from sagefm.sections.batches import Batches
from sagefm.sections.held import HeldSections, bytes_of
from sagefm.sections.masks import FIXED_STREAM
from sagefm.sections.philox import philox_masks
from sagefm.sections.shares import shares

LAYOUTS_HELD = ("mean", "channels", "background")
"""Layouts that a device can make. In `subgraphs`, all spots are dense and sizes differ."""

SHARE_OF_FREE = 0.75
"""Share of a GPU's free memory that sections may use; a network and its batches take a few GB."""

SPOTS_AT_ONCE = 1024
"""Batches are made together up to this number of spots, since small ones mostly cost kernel
launches."""


@dataclass(frozen=True)
class ResidentBatches(Batches):
    """`Batches` made on `device`, from sections that it keeps from the first epoch on."""

    device: torch.device = CPU

    @classmethod
    def of(cls, batches: Batches, device: torch.device) -> "ResidentBatches":
        """Return the same batches, made on a device."""
        return cls(**{f.name: getattr(batches, f.name) for f in fields(batches)}, device=device)

    @cached_property
    def held(self) -> HeldSections:
        """The sections, read at first use."""
        return HeldSections.read(self, self.device)

    def epoch(
        self,
        epoch: int,
        *,
        order: str = "as_released",
        stream: int = FIXED_STREAM,
        skip: int = 0,
        share: tuple[int, int] = (0, 1),
        device: torch.device = CPU,
    ) -> Iterator[Batch]:
        """See `Batches`; for a device other than its own, batches are streamed."""
        if device != self.device:
            yield from super().epoch(
                epoch, order=order, stream=stream, skip=skip, share=share, device=device
            )
            return
        drawn = self._rows(epoch, order, skip, share)
        if not drawn:
            return
        sizes = [len(rows) for rows in drawn]
        together = max(SPOTS_AT_ONCE // self.batch_size, 1)
        parts = [sizes[start : start + together] for start in range(0, len(sizes), together)]
        ends = np.cumsum([sum(part) for part in parts])
        rows = torch.from_numpy(np.concatenate(drawn)).to(device)
        entries = self.held.entries(rows, torch.from_numpy(ends).to(device))
        for part, end, counts in zip(parts, ends.tolist(), entries, strict=True):
            made = self._made(rows[end - sum(part) : end], counts, stream)
            tensors = (tensor.split(part) for tensor in made.tensors())
            for own in zip(*tensors, strict=True):
                inputs, context = own[: len(made.inputs)], own[len(made.inputs) + 2 :]
                target, mask = own[len(made.inputs) : len(made.inputs) + 2]
                yield Batch(self.layout, inputs, target, mask, context)

    def _rows(self, epoch: int, order: str, skip: int, share: tuple[int, int]) -> list[np.ndarray]:
        """Return the rows of all sections in each batch of a process's share of an epoch."""
        plan, ends = self.plan(epoch, order), np.cumsum(self.sizes)
        places = [
            np.concatenate([np.arange(ends[i] - self.sizes[i], ends[i]) for i in group])
            for group, _ in plan
        ]
        pieces = shares(list(self._pieces(plan))[skip:], *share)
        return [np.concatenate([places[i][rows] for i, rows in batch]) for batch in pieces]

    def _made(self, rows: Tensor, entries: Sequence[int], stream: int) -> Batch:
        held = self.held
        owner = held.owner[rows]
        if self.mask_share > 0:
            spots = rows - held.starts[owner]
            address = self.seed, stream, held.keys[owner], spots
            mask = philox_masks(*address, held.n_genes, self.mask_share)
        else:
            mask = torch.zeros(len(rows), held.n_genes, dtype=torch.bool, device=rows.device)
        if self.always_hidden:
            mask[:, list(self.always_hidden)] = True
        batch = held.make(rows, entries, self.layout, mask)
        if held.measured is not None:
            batch.mask &= held.measured[owner]  # after the input is made: see `Batches`
        return batch


def room_on(device: torch.device) -> int:
    """Return the bytes that sections may use on a device; 0 on a CPU, where streaming is faster."""
    if device.type != "cuda":
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    return int(SHARE_OF_FREE * free)


def on_device(parts: Sequence[Batches], device: torch.device) -> list[Batches]:
    """Make the batches on a device if it has room for all their sections; otherwise stream them."""
    known = all(batches.layout in LAYOUTS_HELD for batches in parts)
    if not known or bytes_of_all(parts) >= room_on(device):
        return list(parts)
    return [ResidentBatches.of(batches, device) for batches in parts]


def residence_words(parts: Sequence[Batches], device: torch.device) -> str:
    """Say where the batches that `on_device` returned are made, and why."""
    size, room = bytes_of_all(parts) / 1e9, room_on(device) / 1e9
    words = f"the sections take {size:.2f} GB sparse, and {device} has room for {room:.2f} GB"
    if isinstance(parts[0], ResidentBatches):
        return f"{words}: it holds them and makes the batches"
    if parts[0].layout not in LAYOUTS_HELD:
        words = f"the layout `{parts[0].layout}` is made by the CPU"
    return f"{words}: batches are made by the CPU and sent"


def bytes_of_all(parts: Sequence[Batches]) -> int:
    """Return the bytes that a device needs to hold the sections of some batches."""
    return bytes_of([section for batches in parts for section in batches.sections])
