"""Missing genes drawn as the released code draws them: anew for every spot's subgraph.

Each gene of the panel is missing independently, in all spots of the subgraph. Genes that the source
of a section lacks are scored too, with a truth of 0. Read from the released code
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
"""What is predicted at once: by the model, and by what needs no training."""


def can_draw_as_released(model: FittedModel) -> bool:
    """Whether genes can be taken out of each subgraph: of networks that see no other spots.

    The model must read log1p of counts, as the original does: where counts are scaled, genes taken
    out after scaling would show in the total of the others.
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
    """Predict what is drawn as missing at some spots.

    Parameters
    ----------
    complete
        A section with all its genes.
    rows
        Central spots.
    draw
        Seed, stream and share of `gene_masks`: a spot's genes depend on these and on the spot
        alone.
    known
        bool (genes,): genes that the section's source has.
    gene_mean
        float64 (genes,): mean expression over the training samples.

    Returns
    -------
    tuple
        Truth float32 (rows, genes), `PREDICTORS` float32 (P, rows, genes), and which entries are
        missing, bool (rows, genes).
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
    """The same batch with genes set to 0 in all spots of each subgraph, neighbours included.

    Parameters
    ----------
    hidden
        bool (spots, genes).
    sizes
        int64 (spots,): spots of each subgraph.
    """
    device = batch.inputs[0].device
    hidden = hidden.to(device)
    if batch.layout == "subgraphs":
        nodes, *graph = batch.inputs
        owner = torch.arange(len(sizes)).repeat_interleave(sizes).to(device)
        return replace(batch, inputs=(nodes.masked_fill(hidden[owner], 0), *graph))
    return replace(batch, inputs=tuple(part.masked_fill(hidden, 0) for part in batch.inputs))
