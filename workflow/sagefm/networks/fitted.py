"""Embeddings of a section's spots by a trained network; nothing is hidden but what is withheld."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from sagefm.networks.base import GeneDecoder, embed, predict
from sagefm.sections.batches import Batches, make_batch
from sagefm.sections.section import Section, load_chunk


@torch.inference_mode()
def completed_rows(
    network: GeneDecoder,
    section: Section,
    layout: str,
    normalisation: str,
    missing: np.ndarray,
    device: torch.device,
    batch_size: int,
) -> Iterator[np.ndarray]:
    """Expression of a section's spots, a batch at a time: float32 (spots, genes), log units.

    Missing genes are predicted, the others as measured. Nothing is hidden from the network but what
    the section lacks.

    Parameters
    ----------
    missing
        bool (genes,): what the section lacks, at every spot.
    """
    chunk = load_chunk([section], normalisation)
    network.eval().to(device)
    for rows in np.split(
        np.arange(len(chunk.spots)), range(batch_size, len(chunk.spots), batch_size)
    ):
        nothing = np.zeros((len(rows), len(missing)), dtype=bool)
        batch = make_batch([(chunk, rows)], layout, nothing)
        values = batch.target.numpy()
        if missing.any():
            predicted = predict(network, batch.to(device)).cpu().numpy()
            values[:, missing] = predicted[:, missing]
        yield values


@torch.inference_mode()
def embedded_rows(
    network: GeneDecoder,
    section: Section,
    layout: str,
    normalisation: str,
    device: torch.device,
    withheld: Sequence[int] = (),
) -> Iterator[np.ndarray]:
    """A section's embeddings, a batch at a time: float32 (spots, width).

    A batch holds spots of one section alone: how a matrix product rounds depends on its size, and
    a section's embedding must not depend, to the last bit, on what other sections are embedded too.

    Parameters
    ----------
    network
        On `device`.
    layout
        The network's, on the section's kind of graph: `model.input_layout`.
    withheld
        Genes (columns) taken for missing at every spot.
    """
    batches = Batches([section], layout, normalisation, mask_share=0.0, withheld=tuple(withheld))
    network.eval()
    for batch in batches.epoch(0, device=device):
        yield embed(network, batch).cpu().numpy()
