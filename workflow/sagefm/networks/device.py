"""Device, threads and precision for running a network."""

import ctypes
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from sagefm.common.errors import InputError


def prepare_machine(device: str, threads: int) -> torch.device:
    """Set torch's threads and return the device of a job (`auto`: the GPU if there is one).

    On Linux the allocator is set to keep large blocks. Otherwise a gradient of 60 MB is returned to
    the system and paged in again at every step, which takes a third of the step.

    Raises
    ------
    InputError
        If a GPU is requested and torch finds none.
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
    """Run torch on one thread within the context."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def find_device(device: str, without_gpu: str) -> torch.device:
    """Return a device by name; `auto` is the GPU if there is one.

    Raises
    ------
    InputError
        With the message `without_gpu` if a GPU is requested and torch finds none; also for an
        unknown name.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise InputError(f"there is no device `{device}`. Fix: use auto, cpu or cuda.")
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise InputError(without_gpu)
    return torch.device(device)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return bf16 autocast on a GPU; disabled on a CPU (see `products`) and for fp32 and tf32."""
    enabled = precision == "bf16" and device.type != "cpu"
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


@contextmanager
def products(precision: str) -> Iterator[None]:
    """Multiply float32 matrices at lower precision: `tf32` on GPUs, `bf16` on CPUs that support it.

    A CPU then rounds operands as it reads them. Autocast would instead write a bf16 copy of every
    weight and gradient to memory, which takes as long as the products.
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
