"""Completion of sections measured with fewer genes than the panel: missing genes are predicted."""

from pathlib import Path

from sagefm.common.errors import InputError
from sagefm.common.h5ad import append_layer, read_h5ad, write_h5ad
from sagefm.common.io import atomic
from sagefm.networks.fitted import COMPLETED_SPOTS, FittedModel
from sagefm.networks.registry import describe, names
from sagefm.sections.section import Section, measured_genes_of

LAYER = "expression"


def complete_section(
    model: FittedModel,
    section: Section,
    name: str,
    path: str | Path,
    batch_size: int = COMPLETED_SPOTS,
) -> int:
    """Write a section with its missing genes predicted, as h5ad.

    `X`, `obs` and `obsm['spatial']` are those of the harmonised section. `layers['expression']`
    (float32) holds every panel gene, `var['predicted']` marks the predicted ones, and
    `uns['imputation']` describes the model.

    Parameters
    ----------
    section
        Section written by ingestion. Genes that its source did not measure are predicted.
    name
        Name of the model, stored in the file.

    Returns
    -------
    int
        Number of predicted genes.

    Raises
    ------
    InputError
        If the network cannot predict genes that a section lacks.
    """
    if reason := model.facts.refuses_missing_genes:
        able = [one for one in names() if not describe(one).refuses_missing_genes]
        raise InputError(
            f"model {name}: a `{model.recipe.network}` network cannot predict a gene that a "
            f"section lacks ({reason}). Fix: impute by a model with another network, of "
            f"{', '.join(able)}."
        )
    adata, scale = read_h5ad(section.counts_path), model.normalisation
    missing = ~measured_genes_of(section.counts_path)
    adata.var["predicted"] = missing
    adata.uns["imputation"] = {
        "model": name,
        "normalisation": scale,
        "genes_predicted": int(missing.sum()),
        "note": (
            f"layers['{LAYER}'] is normalised expression ({scale}): as measured where "
            "var['predicted'] is False, scaled by the section's own genes; else predicted by the "
            "model, at the scale of the sections it was trained on. X is what was measured."
        ),
    }
    with atomic(path) as temporary:
        write_h5ad(adata, temporary)
        blocks = model.completed_rows(section, missing, batch_size)
        append_layer(temporary, LAYER, blocks, adata.shape, batch_size)
    return int(missing.sum())
