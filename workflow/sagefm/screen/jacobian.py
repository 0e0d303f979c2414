"""The mean Jacobian: the response of every gene to a small dose of every other gene.

It is the derivative of the predictions at the centre by a common shift of a gene in all neighbours,
at the unperturbed state and with no gene hidden. At one spot it is

    gain * D_out W_out L_n D_(n-1) L_(n-1) ... L_2 D_1 * (a column of the first layer's weights)

where the diagonal matrices D are the slopes of the non-linearities. Only these (and the gain)
depend on the spot. The mean over spots is therefore a thin matrix (genes x widths[0]) times the
first layer's weights, and the map of all genes against all is stored as these two factors.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sagefm.common.errors import InputError
from sagefm.common.io import atomic
from sagefm.common.progress import progress_bar
from sagefm.networks.collapsed import Readout
from sagefm.networks.fitted import FittedModel
from sagefm.networks.perturbed import Collapsed
from sagefm.networks.second_layer import SLOPE
from sagefm.screen.spots import Drawn

BATCH_SPOTS = 8
"""Number of spots whose middle Jacobians are held at once (2 MB each at the paper's width)."""


@torch.inference_mode()
def mean_jacobian(model: FittedModel, drawn: Drawn) -> dict[str, np.ndarray]:
    """Compute the left factor of each context: float32 (genes, widths[0]).

    Its product with `network.neighbour_weights` is the mean derivative, over the context's spots,
    of each gene's prediction at the centre by each gene's level in the neighbours.

    Raises
    ------
    InputError
        If the network does not collapse on its graph, because its Jacobian then has no factors.
    """
    if not model.collapsible:
        raise InputError(
            f"the Jacobian of a `{model.recipe.network}` network on a `{model.recipe.kind}` graph "
            "cannot be computed by factors. Fix: leave the model out of the screen."
        )
    parts = [
        (batch.hidden, batch.gain, own)
        for batch, own in drawn.neighbourhoods(model, ())
        if isinstance(batch, Collapsed)  # always true for a collapsible network
    ]
    hidden, gain, owner = map(torch.cat, zip(*parts, strict=True))
    factors = {}
    for number, name in enumerate(progress_bar(drawn.contexts, desc="Jacobian", unit="context")):
        own = owner == number
        factors[name] = left_factor(model.readout, hidden[own], gain[own]).cpu().numpy()
    return factors


def left_factor(readout: Readout, hidden: Tensor, gain: Tensor) -> Tensor:
    """Mean over spots of the Jacobian from the first layer's output to the predictions.

    Each prediction's ReLU is first assumed to have the state, active or not, that it has at most
    spots. This needs one product with the sum over spots. Spots with the other state are then
    corrected one by one, which is much cheaper than one product per spot.

    Parameters
    ----------
    hidden, gain
        (spots, widths[0]) and (spots,), from `perturbed.Collapsed`.

    Returns
    -------
    Tensor
        float32 (genes, widths[0]).
    """
    gate = readout(hidden.clone()) > 0
    mostly = gate.float().mean(dim=0) > 0.5
    total = hidden.new_zeros(readout.weight.shape[1], hidden.shape[1])
    left = hidden.new_zeros(len(readout.weight), hidden.shape[1])
    batches = (values.split(BATCH_SPOTS) for values in (hidden, gain, gate))
    for own, weight, opened in zip(*batches, strict=True):
        chains = middle_jacobian(readout, own) * weight[:, None, None]
        total += chains.sum(dim=0)
        for chain, mended in zip(chains, opened != mostly, strict=True):
            genes = mended.nonzero()[:, 0]
            signs = torch.where(mostly[genes], -1.0, 1.0)[:, None]
            left.index_add_(0, genes, (signs * readout.weight[genes]) @ chain)
    left[mostly] += readout.weight[mostly] @ total
    return left / len(hidden)


def middle_jacobian(readout: Readout, hidden: Tensor) -> Tensor:
    """Jacobian from the first layer's output to the readout's input: (spots, to, from)."""
    if not readout.deep:
        return torch.eye(hidden.shape[1], device=hidden.device).expand(len(hidden), -1, -1)
    slopes = torch.where(hidden > 0, 1.0, SLOPE)
    chain = None
    for weight, bias in readout.middle:
        step = weight * slopes[:, None]
        chain = step if chain is None else step @ chain
        hidden = functional.linear(functional.leaky_relu(hidden), weight, bias)
        slopes = torch.where(hidden > 0, 1.0, SLOPE)
    return torch.diag_embed(slopes) if chain is None else slopes[..., None] * chain


def write_jacobian(
    path: str | Path,
    left: Mapping[str, np.ndarray],
    model: FittedModel,
    sizes: Mapping[str, int],
) -> None:
    """Write the factors of `mean_jacobian` (HDF5), with the panel and each context's spots."""
    assert model.collapsible
    with atomic(path) as temporary, h5py.File(temporary, "w") as file:
        file["genes"] = np.array(model.genes, dtype=object)
        file["contexts"] = np.array([*left], dtype=object)
        file["spots"] = np.array([sizes[name] for name in left])
        # Both have one row per gene, so that a pair needs two contiguous reads.
        file["left"] = np.stack([*left.values()])
        file["right"] = model.collapsible.neighbour_weights.detach().cpu().numpy().T


class Jacobian:
    """The mean Jacobian in a file of `write_jacobian`, read from disk as needed.

    Values are derivatives of the output's prediction at the centre by the input's level in the
    neighbours. Both are normalised expression.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with h5py.File(path) as file:
            self.genes = file["genes"].asstr()[:].tolist()
            self.contexts = file["contexts"].asstr()[:].tolist()
            self.spots = file["spots"][:].tolist()

    @cached_property
    def _column(self) -> dict[str, int]:
        return {gene: column for column, gene in enumerate(self.genes)}

    def pair(self, output: str, input: str, context: str) -> float:
        """Derivative of one output by one input."""
        return float(self.block([output], [input], context)[0, 0])

    def row(self, output: str, context: str) -> np.ndarray:
        """Derivatives of one output by all genes: float32 (genes,)."""
        return self.block([output], self.genes, context)[0]

    def column(self, input: str, context: str) -> np.ndarray:
        """Derivatives of all genes by one input: float32 (genes,)."""
        return self.block(self.genes, [input], context)[:, 0]

    def block(self, outputs: Sequence[str], inputs: Sequence[str], context: str) -> np.ndarray:
        """Derivatives of given outputs by given inputs, in any order: float32 (outputs, inputs)."""
        number = self.contexts.index(context)
        with h5py.File(self.path) as file:
            left = self._rows(file["left"], outputs, number)
            return left @ self._rows(file["right"], inputs).T

    def _rows(self, factor: h5py.Dataset, genes: Sequence[str], *context: int) -> np.ndarray:
        """Read rows of a factor: a few one by one, many from the whole, which is faster in HDF5."""
        columns = [self._column[gene] for gene in genes]
        if len(columns) > len(self.genes) // 50:
            return factor[(*context, slice(None))][columns]
        return np.stack([factor[(*context, column)] for column in columns])
