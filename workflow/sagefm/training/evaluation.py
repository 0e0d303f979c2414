"""Loss of a network, and of the neighbours' mean, on held-out batches."""

from dataclasses import replace

import torch

from sagefm.networks.base import GeneDecoder, embed, squared_error
from sagefm.networks.device import autocast, products
from sagefm.sections.batches import Batches
from sagefm.sections.masks import FIXED_STREAM
from sagefm.training.parallel.group import Alone


def neighbour_mean_mse(batches: Batches) -> float:
    """Return the mean squared error of the neighbours' mean expression, an untrained predictor."""
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
    """Return a network's loss and its mean squared error over the hidden entries of all batches.

    Parameters
    ----------
    stream
        Number that selects the masks (see `gene_mask`).
    group
        Processes that share the work; all receive the result.
    by_batch
        Whether the loss is the mean of batch means, as in the released code, so that a short last
        batch counts as much as the others. Otherwise it is the mean over all entries.
    """
    group = group or Alone()
    network.eval()
    # Read only at the end: waiting for each batch would leave a GPU idle.
    sums = torch.zeros(4, batches.n_batches, dtype=torch.float64, device=device)
    share = group.rank, group.size
    # Only a short last batch can leave a process without a share, so batch numbers agree.
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
