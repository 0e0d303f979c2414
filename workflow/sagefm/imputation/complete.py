"""Sections measured with fewer genes than the panel, completed: the missing ones predicted."""

from pathlib import Path

import torch

from sagefm.common.errors import InputError
from sagefm.common.h5ad import append_layer, read_h5ad, write_h5ad
from sagefm.common.io import atomic, require_space
from sagefm.networks.base import GeneDecoder
from sagefm.networks.fitted import completed_rows
from sagefm.sections.section import Section

LAYER = "expression"


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
    if layout == "background":
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
