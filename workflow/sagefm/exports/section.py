"""One section embedded by a model at hand, without a run: the same steps, on one file."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from anndata import AnnData

from sagefm.common.errors import InputError
from sagefm.common.h5ad import append_layer, write_h5ad
from sagefm.common.io import atomic, sha256
from sagefm.exports.api import EMBEDDING, PREDICTED, read
from sagefm.exports.prepared import write_section
from sagefm.networks.fitted import COMPLETED_SPOTS, FittedModel
from sagefm.sections.section import Section


def embed_section(
    source: str | Path,
    output: str | Path,
    model: str | Path,
    device: torch.device,
    *,
    positions: str | Path = "",
    technology: str = "",
    predict: bool = False,
    layer: str = "",
    library: str = "",
    library_key: str = "",
    orientation: str = "",
    min_overlap: float | None = None,
    aliases: str | Path = "",
) -> AnnData:
    """Write a section with a model's embedding of its spots, as h5ad.

    Parameters
    ----------
    source
        Whatever `api.read` reads.
    output
        The file to write: `ingest.ingest`'s sample (raw counts on the model's panel, coordinates,
        array positions, the image where the source has one) with the embedding in
        `obsm['X_sagefm']` (float32) and what it was made with in `uns['sagefm']`.
    model
        As of `FittedModel.load`.
    positions, technology, layer, library, library_key, orientation, min_overlap, aliases
        See `api.read`.
    predict
        Whether `layers['predicted']` (float32; spots, genes) is to hold the model's prediction of
        every gene, nothing hidden, in its normalised units.

    Returns
    -------
    AnnData
        What was written, without the predictions.

    Raises
    ------
    InputError
        For a section, a model or an output that cannot be used; nothing is then written.
    """
    source, output = Path(source), Path(output)
    check_output(source, output)
    fitted = FittedModel.load(model, device)
    sample = read(
        source,
        fitted,
        positions=positions,
        technology=technology,
        layer=layer,
        library=library,
        library_key=library_key,
        orientation=orientation,
        min_overlap=min_overlap,
        aliases=aliases,
    )
    with tempfile.TemporaryDirectory() as folder, atomic(output) as temporary:
        section = Section("", "", Path(folder, "sample.h5ad"), Path(folder, "graph.npz"))
        files = section.counts_path, section.graph_path
        write_section(sample, *files, fitted.recipe, technology)
        sample.obsm[EMBEDDING] = np.concatenate([*fitted.embedded_rows(section)])
        sample.uns["sagefm"] = _facts(fitted)
        write_h5ad(sample, temporary)
        if predict:
            every_gene = np.ones(sample.n_vars, dtype=bool)
            blocks = fitted.completed_rows(section, every_gene)
            append_layer(temporary, PREDICTED, blocks, sample.shape, COMPLETED_SPOTS)
    return sample


def check_output(source: Path, output: Path) -> None:
    """Check, before anything is computed, that a section's result can be written to a file.

    Raises
    ------
    InputError
        If the output is not an h5ad, is a folder, or is the section itself.
    """
    if output.suffix != ".h5ad":
        raise InputError(f"{output}: the output is an AnnData. Fix: give it a name in .h5ad.")
    if output.is_dir():
        raise InputError(f"{output} is a folder. Fix: choose another name for the output.")
    if output.resolve() == source.resolve():
        raise InputError(
            f"{output} would overwrite the section itself. Fix: choose another name for the output."
        )


def _facts(model: FittedModel) -> dict[str, Any]:
    """What the embedding was made with, without the panel, which is the file's `var`."""
    recipe, checkpoint = model.recipe, model.checkpoint
    assert checkpoint
    facts = {key: value for key, value in asdict(recipe).items() if key != "panel"}
    facts["harmonise"] = {k: v for k, v in recipe.harmonise.items() if v is not None}
    return {"checkpoint": str(checkpoint), "checkpoint_sha256": sha256(checkpoint), **facts}
