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
    for batch in replace(batches, layout="channels", unmeasured=None).epoch(0):
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
    by_batch: bool = False,
) -> tuple[float, float]:
    """A network's own loss, and the mean squared error, over the hidden entries of all batches.

    Parameters
    ----------
    stream
        Names the masks (see `gene_mask`).
    group
        Processes that share the work out; all are given the result.
    by_batch
        Whether the loss is the mean of the batches' means, as in the released code, where a short
        last batch counts as much as any; else it is the mean of all entries.
    """
    group = group or Alone()
    network.eval()
    # Read at the end: a batch that had to be waited for would leave a GPU idle.
    sums = torch.zeros(4, batches.n_batches, dtype=torch.float64, device=device)
    share = group.rank, group.size
    # Only a short last batch may leave a process without a share, so the numbers are everyone's.
    for number, batch in enumerate(batches.epoch(0, stream=stream, share=share, device=device)):
        with products(precision), autocast(device, precision):
            embedding = embed(network, batch)
            own, count = network.loss(embedding, batch.target, batch.mask, *batch.context)
            prediction = network.decode(embedding, *batch.context)
        error = squared_error(prediction, batch.target, batch.mask)
        for row, value in zip(sums, (own, count, error, batch.mask.sum()), strict=True):
            row[number] = value
    whole = group.sums(*sums.flatten().tolist())
    losses, counts, errors, entries = torch.tensor(whole, dtype=torch.float64).view(4, -1)
    loss = (losses / counts).mean() if by_batch else losses.sum() / counts.sum()
    return loss.item(), sum(errors.tolist()) / sum(entries.tolist())
