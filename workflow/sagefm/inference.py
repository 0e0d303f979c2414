"""A network applied to batches: embeddings, predictions, losses; and the machine it runs on."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from sagefm.batch import Batch
from sagefm.batches import Batches
from sagefm.decoder import GeneDecoder, squared_error
from sagefm.distributed import Alone
from sagefm.errors import InputError
from sagefm.masks import FIXED_STREAM


def prepare_machine(device: str, threads: int) -> torch.device:
    """The device a job runs on (`auto`: the GPU if there is one), with torch's threads set.

    On Linux the allocator is told to keep large blocks: giving a gradient of 60 MB back to the
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
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"this job is to compute on a GPU, but torch {torch.__version__} sees none here: "
            "`make env TORCH=cuda` installs torch for GPUs, and a cluster lends one by its profile "
            "(README, 'On a cluster'); without one, set the model's `compute.gpus` to 0 and its "
            "`compute.device` to auto."
        )
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


def embed(network: GeneDecoder, batch: Batch) -> Tensor:
    """Embeddings (spots, width) of a batch's central spots, by the path its layout allows."""
    return getattr(network, f"embed_{batch.layout}")(*batch.inputs)


def predict(network: GeneDecoder, batch: Batch) -> Tensor:
    """Predicted expression (spots, genes) of a batch's central spots."""
    return network.decode(embed(network, batch), *batch.context)


def loss(network: GeneDecoder, batch: Batch) -> tuple[Tensor, Tensor]:
    """What a network is trained to lessen, summed over a batch, and what to divide it by."""
    return network.loss(embed(network, batch), batch.target, batch.mask, *batch.context)


def neighbour_mean_mse(batches: Batches) -> float:
    """Mean squared error of the neighbours' mean expression, which needs no training."""
    total, hidden = 0.0, 0
    for batch in replace(batches, layout="channels").epoch(0):
        total += squared_error(batch.inputs[1], batch.target, batch.mask).item()
        hidden += int(batch.mask.sum())
    return total / hidden


@torch.inference_mode()
def evaluate(
    network: GeneDecoder,
    batches: Batches,
    device: torch.device,
    precision: str = "fp32",
    stream: int = FIXED_STREAM,
    group: Alone | None = None,
) -> tuple[float, float]:
    """A network's own loss, and the mean squared error, over the hidden entries of all batches.

    Processes of one `group` share the work out, and all are given the result.
    """
    group = group or Alone()
    network.eval()
    total, weight, error, hidden = 0.0, 0.0, 0.0, 0
    share = group.rank, group.size
    for batch in batches.epoch(0, stream=stream, share=share, device=device):
        with products(precision), autocast(device, precision):
            embedding = embed(network, batch)
            own, count = network.loss(embedding, batch.target, batch.mask, *batch.context)
            prediction = network.decode(embedding, *batch.context)
        total, weight = total + own.item(), weight + count.item()
        error += squared_error(prediction, batch.target, batch.mask).item()
        hidden += int(batch.mask.sum())
    total, weight, error, entries = group.sums(total, weight, error, hidden)
    return total / weight, error / entries
