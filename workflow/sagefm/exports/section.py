"""Embed one section without running the workflow, by the same steps."""

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
    """Embed the spots of a section and write the result as h5ad.

    Parameters
    ----------
    source
        A section in any format of `api.read`.
    output
        Output file: the sample of `ingest.ingest` (raw counts on the model's panel, coordinates,
        array positions, and the image if the source has one), with the embedding in
        `obsm['X_sagefm']` (float32) and the model's recipe and checkpoint in `uns['sagefm']`.
    model
        A model, as for `FittedModel.load`.
    positions, technology, layer, library, library_key, orientation, min_overlap, aliases
        See `api.read`.
    predict
        Whether to also write `layers['predicted']` (float32; spots, genes): the model's prediction
        of every gene, with none hidden, in its normalised units.

    Returns
    -------
    AnnData
        The written sample, without the predictions.

    Raises
    ------
    InputError
        If the section, model or output cannot be used. Nothing is then written.
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
    """Check that a section's result can be written to a file, before anything is computed.

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
    """Recipe and checkpoint of the embedding, without the panel, which is the file's `var`."""
    recipe, checkpoint = model.recipe, model.checkpoint
    assert checkpoint
    facts = {key: value for key, value in asdict(recipe).items() if key != "panel"}
    facts["harmonise"] = {k: v for k, v in recipe.harmonise.items() if v is not None}
    return {"checkpoint": str(checkpoint), "checkpoint_sha256": sha256(checkpoint), **facts}
