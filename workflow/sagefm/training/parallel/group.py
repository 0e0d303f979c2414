"""Processes that train one model together, one per device, and their communication.

Each takes a share of every batch. Sums over all shares (loss, number of hidden entries, gradients)
equal those of the whole batch. Weights therefore stay the same in all processes, as if one had
trained alone.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sagefm.common.errors import InputError

T = TypeVar("T")

PATIENCE = timedelta(minutes=30)
"""Time limit for waiting on other processes: rank 0 may be saving or fitting the input."""


class PeerLost(RuntimeError):
    """Another process of the training has ended, so sums over all are impossible."""


class Alone:
    """A process that trains a model by itself; the simplest form of `Together`."""

    rank, size = 0, 1

    def __init__(self) -> None:
        self.stop_wanted = False

    @property
    def stopping(self) -> bool:
        """Whether training will stop, as all processes know since their last `sums`."""
        return self.stop_wanted

    def sums(self, *values: Any) -> list[Any]:
        """Return sums of numbers, or of one-element tensors, over all processes."""
        return list(values)

    def add_gradients(self, network: nn.Module) -> None:
        """Replace each gradient by its sum over all processes."""

    def share_weights(self, network: nn.Module) -> None:
        """Copy the weights and buffers of the first process to all."""

    def from_first(self, make: Callable[[], T]) -> T:
        """Return in all processes what `make` returns in the first."""
        return make()

    def leave(self) -> None:
        """Leave the group, once nothing is left to sum."""


class Together(Alone):
    """One of several processes that train a model (see `join`)."""

    def __init__(self, rank: int, size: int, device: torch.device) -> None:
        super().__init__()
        self.rank, self.size, self.device = rank, size, device
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """See `Alone`; a request to stop one process stops all, after the same step."""
        return self._stopping

    def sums(self, *values: Any) -> list[Any]:
        """See `Alone`; requests to stop are summed as well."""
        own = [*map(float, values), self.stop_wanted]
        sums = torch.tensor(own, dtype=torch.float64, device=self.device)
        _wait([_begin(dist.all_reduce, sums)])
        *totals, stops = sums.tolist()
        self._stopping = stops > 0
        return totals

    def add_gradients(self, network: nn.Module) -> None:
        """See `Alone`; a process without a share of the batch adds zeros.

        All gradients are summed as one vector. DistributedDataParallel would average them and needs
        a forward pass in every process at every step.
        """
        parameters = list(network.parameters())
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        _wait([_begin(dist.all_reduce, flat)])
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def from_first(self, make: Callable[[], T]) -> T:
        """See `Alone`."""
        held = [make() if self.rank == 0 else None]
        with _with_others():
            dist.broadcast_object_list(held, src=0, device=self.device)
        return cast("T", held[0])

    def leave(self) -> None:
        """See `Alone`."""
        dist.destroy_process_group()

    def share_weights(self, network: nn.Module) -> None:
        """See `Alone`."""
        _wait([_begin(dist.broadcast, t, src=0) for t in network.state_dict().values()])


@contextmanager
def _with_others() -> Iterator[None]:
    """Turn torch's error about an ended process into `PeerLost`."""
    try:
        yield
    except RuntimeError as error:
        raise PeerLost(str(error)) from error


def _begin(collective, tensor: Tensor, **options):
    with _with_others():
        return collective(tensor, async_op=True, **options)


def _wait(parts: list) -> None:
    with _with_others():
        for part in parts:
            part.wait()


def join(device: torch.device, nodes: int) -> Together:
    """Join the processes of a training, found through torchrun's environment variables.

    Parameters
    ----------
    device
        Device of this process. Gradients are sent by NCCL between GPUs, otherwise by gloo.
    nodes
        Number of nodes that run the processes.
    """
    if nodes == 1:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # hostnames may not resolve
    if device.type == "cuda":
        torch.cuda.set_device(device)
    with _with_others():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    return Together(dist.get_rank(), dist.get_world_size(), device)


def device_of(number: int, devices: int, device: torch.device) -> torch.device:
    """Return the device of one of a machine's processes: its own GPU, or the CPU.

    Raises
    ------
    InputError
        If a single GPU is named for all, or there are fewer GPUs than processes.
    """
    if devices == 1 or device.type == "cpu":
        return device
    if ":" in str(device):
        raise InputError(
            f"`compute.device` names one GPU ({device}), but `training.devices` asks for {devices} "
            "in each machine. Fix: write `cuda`, or train on one device."
        )
    if (found := torch.cuda.device_count()) < devices:
        raise InputError(
            f"`training.devices` asks for {devices} GPUs in each machine, but torch sees {found}. "
            "Fix: request as many from the scheduler, or lower it."
        )
    return torch.device("cuda", number)
