"""Embeddings of a section's spots by a trained network; nothing is hidden but what is withheld."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from sagefm.batches import Batches
from sagefm.decoder import GeneDecoder
from sagefm.inference import embed
from sagefm.sections import Section


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
