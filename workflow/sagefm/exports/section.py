"""One section embedded by a model at hand, without a run: the same steps, on one file."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from anndata import AnnData

from sagefm.cohorts.images import HIRES_PIXELS
from sagefm.cohorts.ingest import ingest
from sagefm.common.errors import InputError
from sagefm.common.h5ad import append_layer, write_h5ad
from sagefm.common.io import atomic, require_space, sha256
from sagefm.graphs.neighbourhoods import build_graph, save_graph
from sagefm.networks.fitted import FittedModel
from sagefm.networks.recipe import ModelRecipe
from sagefm.sections.section import Section, spot_positions

EMBEDDING, PREDICTED = "X_sagefm", "predicted"

BATCH = 128
"""Spots predicted at once."""


def embed_section(
    source: str | Path,
    output: str | Path,
    model: str | Path,
    device: torch.device,
    *,
    positions: str | Path = "",
    technology: str = "",
    predict: bool = False,
) -> AnnData:
    """Write a section with a model's embedding of its spots, as h5ad.

    Parameters
    ----------
    source
        Whatever `readers.read_source` reads.
    output
        The file to write: `ingest.ingest`'s sample (raw counts on the model's panel, coordinates,
        array positions, the image where the source has one) with the embedding in
        `obsm['X_sagefm']` (float32) and what it was made with in `uns['sagefm']`.
    model
        As of `FittedModel.load`.
    positions, technology
        As in a sheet of samples; the technology is asked for by a `grid` alone.
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
    _check_output(source, output)
    fitted = FittedModel.load(model, device)
    recipe = fitted.recipe
    row = {
        "sample": source.resolve().name.split(".")[0],
        "path_or_id": str(source),
        "positions": positions,
        "technology": technology,
    }
    sample = ingest(
        source, row, recipe.panel, recipe.qc, recipe.harmonise, image_pixels=HIRES_PIXELS
    )
    with tempfile.TemporaryDirectory() as folder, atomic(output) as temporary:
        section = _write_section(Path(folder), sample, recipe, technology)
        sample.obsm[EMBEDDING] = np.concatenate([*fitted.embedded_rows(section)])
        sample.uns["sagefm"] = _facts(fitted)
        write_h5ad(sample, temporary)
        if predict:
            require_space(temporary, 4 * sample.n_obs * sample.n_vars)
            every_gene = np.ones(sample.n_vars, dtype=bool)
            blocks = fitted.completed_rows(section, every_gene, BATCH)
            append_layer(temporary, PREDICTED, blocks, sample.shape, BATCH)
    return sample


def _check_output(source: Path, output: Path) -> None:
    if output.suffix != ".h5ad":
        raise InputError(f"{output}: what is written is an AnnData; give it a name in .h5ad.")
    if output.is_dir() or output.resolve() == source.resolve():
        raise InputError(f"{output}: is there and would be lost; give the output another name.")


def _write_section(folder: Path, sample: AnnData, recipe: ModelRecipe, technology: str) -> Section:
    """A sample and its graph as the files that a run has."""
    counts, graph = folder / "sample.h5ad", folder / "graph.npz"
    write_h5ad(sample, counts)
    coordinates, array = spot_positions(counts)
    save_graph(build_graph(coordinates, **recipe.graph, array=array, technology=technology), graph)
    return Section("", sample.uns["provenance"]["sample"], counts, graph)


def _facts(model: FittedModel) -> dict[str, Any]:
    """What the embedding was made with, without the panel, which is the file's `var`."""
    recipe, checkpoint = model.recipe, model.checkpoint
    assert checkpoint
    facts = {key: value for key, value in asdict(recipe).items() if key != "panel"}
    facts["harmonise"] = {k: v for k, v in recipe.harmonise.items() if v is not None}
    return {"checkpoint": str(checkpoint), "checkpoint_sha256": sha256(checkpoint), **facts}
