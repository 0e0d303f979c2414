"""The machine a network runs on: its device, threads and precision."""

import ctypes
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from sagefm.common.errors import InputError


def prepare_machine(device: str, threads: int) -> torch.device:
    """The device a job runs on (`auto`: the GPU if there is one), with torch's threads set.

    On Linux the allocator is set to keep large blocks: giving a gradient of 60 MB back to the
    system at every step and faulting it in again costs a third of the step.

    Raises
    ------
    InputError
        If a GPU is asked for and torch sees none.
    """
    torch.set_num_threads(threads)
    if sys.platform == "linux":
        trim_threshold, mmap_threshold, largest = -1, -3, 2**30
        libc = ctypes.CDLL(None)
        libc.mallopt(mmap_threshold, largest)
        libc.mallopt(trim_threshold, 2 * largest - 1)
    return find_device(
        device,
        f"this job needs a GPU, but torch {torch.__version__} sees none here. Fix: install torch "
        "for GPUs (`make env TORCH=cuda`); on a cluster, use its profile (docs/cluster.md); "
        "without one, set the model's `compute.gpus` to 0 and its `compute.device` to auto.",
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes on one thread meanwhile."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def find_device(device: str, without_gpu: str) -> torch.device:
    """A device by its name; `auto` is the GPU if there is one.

    Raises
    ------
    InputError
        With the sentence `without_gpu`, if a GPU is named and torch sees none; for another name.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise InputError(f"there is no device `{device}`. Fix: use auto, cpu or cuda.")
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise InputError(without_gpu)
    return torch.device(device)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """bf16 autocast on a GPU; nothing on a CPU (see `products`), or for fp32 and tf32."""
    enabled = precision == "bf16" and device.type != "cpu"
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


@contextmanager
def products(precision: str) -> Iterator[None]:
    """Let matrices of float32 be multiplied in less: `tf32` by GPUs, `bf16` by CPUs that can.

    A CPU so rounds operands as it reads them. Autocast would write a bf16 copy of every weight and
    of every gradient to memory, which takes as long as the products.
    """
    backends = {"tf32": torch.backends.cuda.matmul, "bf16": torch.backends.mkldnn.matmul}  # type: ignore[attr-defined]
    before = {kind: backend.fp32_precision for kind, backend in backends.items()}
    for kind, backend in backends.items():
        backend.fp32_precision = kind if kind == precision else "ieee"
    try:
        yield
    finally:
        for kind, backend in backends.items():
            backend.fp32_precision = before[kind]
