"""Sections measured with fewer genes than the panel, completed: the missing ones predicted."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import torch

from sagefm.batches import make_batch
from sagefm.decoder import GeneDecoder
from sagefm.errors import InputError
from sagefm.inference import predict
from sagefm.io import COMPRESSION, atomic, read_h5ad, require_space, write_h5ad
from sagefm.sections import Section, load_chunk

LAYER = "expression"
CHUNK_GENES = 1024
"""Columns of one compressed block of the layer, whose rows are those of a batch."""


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


def complete_section(
    network: GeneDecoder,
    section: Section,
    layout: str,
    normalisation: str,
    model: str,
    device: torch.device,
    path: str | Path,
    batch_size: int = 128,
) -> int:
    """Write a section with its missing genes predicted, as h5ad.

    `X`, `obs` and `obsm['spatial']` are the harmonised section's. `layers['expression']` (float32)
    holds every panel gene, `var['predicted']` says which of them were predicted, and
    `uns['imputation']` by what.

    Parameters
    ----------
    section
        With `var['in_source']`, as ingestion writes it.
    model
        Its name, for the file.

    Returns
    -------
    int
        Genes predicted.

    Raises
    ------
    InputError
        If the network is `contrast`, which predicts a gene that a section lacks as 0.
    """
    if layout == "contrast":
        raise InputError(
            f"model {model}: a `contrast` network predicts differences to the section's mean, and "
            "so 0 for a gene that the section lacks; impute with a `gcn` or `two_channel` model."
        )
    adata = read_h5ad(section.counts_path)
    missing = ~adata.var["in_source"].to_numpy(dtype=bool)
    adata.var["predicted"] = missing
    adata.uns["imputation"] = {
        "model": model,
        "normalisation": normalisation,
        "genes_predicted": int(missing.sum()),
        "note": (
            f"layers['{LAYER}'] is normalised expression ({normalisation}): as measured where "
            "var['predicted'] is False, scaled by the section's own genes; else predicted by the "
            "model, at the scale of the sections it was trained on. X is what was measured."
        ),
    }
    with atomic(path) as temporary:
        write_h5ad(adata, temporary)
        # Compressed it is smaller, but HDF5 must not meet a full disk.
        require_space(temporary, 4 * adata.n_obs * adata.n_vars)
        blocks = completed_rows(
            network, section, layout, normalisation, missing, device, batch_size
        )
        append_layer(temporary, LAYER, blocks, adata.shape, batch_size)
    return int(missing.sum())


def append_layer(
    path: Path, name: str, blocks: Iterator[np.ndarray], shape: tuple[int, int], batch_size: int
) -> None:
    """Write consecutive rows of a layer (float32) into an h5ad that is there already."""
    done, chunks = 0, (min(batch_size, shape[0]), min(CHUNK_GENES, shape[1]))
    with h5py.File(path, "r+") as file:
        layers = file["layers"]
        data = layers.create_dataset(name, shape, np.float32, chunks=chunks, **COMPRESSION)
        data.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        for block in blocks:
            data[done : done + len(block)] = block
            done += len(block)
