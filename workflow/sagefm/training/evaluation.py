"""A network's loss on held-out batches, and that of the neighbours' mean."""

from dataclasses import replace

import torch

from sagefm.networks.base import GeneDecoder, embed, squared_error
from sagefm.networks.device import autocast, products
from sagefm.sections.batches import Batches
from sagefm.sections.masks import FIXED_STREAM
from sagefm.training.parallel.group import Alone


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
