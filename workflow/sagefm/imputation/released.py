"""Missing genes drawn as in the released code: separately for every spot's subgraph.

Each gene of the panel is missing independently, in all spots of the subgraph. Genes that a
section's source lacks are also scored, with a true value of 0. This follows the released code
(github.com/dayenai/SAGE-FM at 15fe51f).
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from sagefm.imputation.baselines import depth_scaled_mean
from sagefm.networks.fitted import FittedModel
from sagefm.sections.batch import Batch
from sagefm.sections.expression import SCALED_TO
from sagefm.sections.masks import gene_masks
from sagefm.sections.section import Chunk

PREDICTORS = ("as_released", "gene_mean", "gene_mean_depth", "zero")
"""Predictors computed together: the model and the untrained ones."""


def can_draw_as_released(model: FittedModel) -> bool:
    """Return whether genes can be removed per subgraph: the network must read no other spots.

    The model must also read log1p of counts, as the original does. With scaled counts, genes
    removed after scaling would still affect the total of the others.
    """
    return SCALED_TO[model.normalisation] is None and not model.facts.refuses_missing_genes


def predict_as_released(
    model: FittedModel,
    complete: Chunk,
    rows: np.ndarray,
    draw: tuple[int, int, float],
    known: np.ndarray,
    gene_mean: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predict the genes drawn as missing at some spots.

    Parameters
    ----------
    complete
        A section with all its genes.
    rows
        Central spots.
    draw
        Seed, stream and share for `gene_masks`. A spot's missing genes depend only on these and the
        spot.
    known
        bool (genes,): genes that the section's source measured.
    gene_mean
        float64 (genes,): mean expression over the training samples.

    Returns
    -------
    tuple
        Truth, float32 (rows, genes); `PREDICTORS`, float32 (P, rows, genes); missing entries, bool
        (rows, genes).
    """
    seed, stream, share = draw
    origins = complete.keys[rows], complete.spots[rows]
    missing = gene_masks(seed, stream, *origins, len(gene_mean), share)
    batch = model.batch(complete, rows, np.zeros_like(missing))
    sizes = np.diff(complete.ego_indptr)[rows]
    truth = batch.target.cpu().numpy()
    stack = np.zeros((len(PREDICTORS), *missing.shape), dtype=np.float32)
    lacking = hide_everywhere(batch, torch.from_numpy(missing), torch.from_numpy(sizes))
    stack[0] = model.predict(lacking).cpu().numpy()
    stack[1] = gene_mean
    visible = np.where(missing, 0, truth)
    stack[2] = depth_scaled_mean(visible, known & ~missing, gene_mean, scaled=False)
    return truth, stack, missing


def hide_everywhere(batch: Batch, hidden: Tensor, sizes: Tensor) -> Batch:
    """Set genes to 0 in all spots of each subgraph of a batch, including neighbours.

    Parameters
    ----------
    hidden
        bool (spots, genes).
    sizes
        int64 (spots,): number of spots in each subgraph.
    """
    device = batch.inputs[0].device
    hidden = hidden.to(device)
    if batch.layout == "subgraphs":
        nodes, *graph = batch.inputs
        owner = torch.arange(len(sizes)).repeat_interleave(sizes).to(device)
        return replace(batch, inputs=(nodes.masked_fill(hidden[owner], 0), *graph))
    return replace(batch, inputs=tuple(part.masked_fill(hidden, 0) for part in batch.inputs))
