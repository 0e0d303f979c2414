"""Public functions that apply a trained model to any AnnData.

Each function takes a model from `load` and keeps the order of the spots. Counts are mapped to the
model's genes and normalised as in its training. Spots are joined by the model's kind of graph.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from sagefm.cohorts.formats.base import section_name
from sagefm.cohorts.images import HIRES_PIXELS
from sagefm.cohorts.ingest import ingest
from sagefm.cohorts.panel import source_symbols
from sagefm.cohorts.qc import FewSpots
from sagefm.cohorts.readers import standard_var
from sagefm.common.errors import InputError
from sagefm.exports.prepared import Source, prepared_sections
from sagefm.networks.device import find_device
from sagefm.networks.fitted import FittedModel
from sagefm.networks.recipe import PAPER_PANEL, ModelRecipe
from sagefm.sections.genes import read_panel

EMBEDDING, PREDICTED = "X_sagefm", "predicted"


def load(model: str | Path, *, device: str = "auto") -> FittedModel:
    """Load a trained model.

    Parameters
    ----------
    model
        `light`, the model that comes with the package; a model's folder in a run
        (`results/demo/models/paper`); or a checkpoint, from such a folder or released by the
        paper's authors.
    device
        `cpu`, `cuda`, or `auto`: a GPU if one is available.

    Returns
    -------
    FittedModel
        Network, genes, normalisation and kind of neighbourhood, as one object.

    Raises
    ------
    InputError
        If the model or device does not exist, or if the weights do not fit the network.

    Examples
    --------
    >>> model = sagefm.load("models/paper", device="cpu")
    >>> len(model.genes)
    300
    """
    no_gpu = "torch finds no GPU here. Fix: load the model with device='cpu'."
    return FittedModel.load(model, find_device(device, no_gpu))


def read(
    path: str | Path,
    model: FittedModel | None = None,
    *,
    positions: str | Path = "",
    technology: str = "",
    layer: str = "",
    library: str = "",
    library_key: str = "",
    orientation: str = "",
    min_overlap: float | None = None,
    aliases: str | Path = "",
) -> AnnData:
    """Read a section in any supported format and map its counts to a model's genes.

    Parameters
    ----------
    path
        Space Ranger's `outs/`, a 10x `.h5`, a folder with `matrix.mtx`, an `.h5ad`, a SpatialData
        `.zarr` or a table of counts.
    model
        Model whose genes and quality control are used. Default: the paper's.
    positions
        Table of spot positions, if the section does not include them.
    technology
        `Visium`, `Visium HD` or `Spatial Transcriptomics`, or the array itself, `hexagonal` or
        `square`. Only a model with a `grid` graph needs it.
    layer
        Layer that holds the raw counts, or `raw`. Default: `X`.
    library, library_key
        Section to read from a file with several, and the column of `obs` that names the sections.
        The column is needed only if several columns contain the name.
    orientation
        `spots_by_genes` or `genes_by_spots`, for a table of counts whose row and column names do
        not show it.
    min_overlap
        Minimum fraction of the model's genes that the section must have, 0 to 1. Default: the
        model's own.
    aliases
        Table (TSV) with the columns `alias` (an earlier symbol or an Ensembl id) and `symbol`.

    Returns
    -------
    AnnData
        `X`: csr int32 (spots, genes), raw counts. A gene that the section lacks is 0, and its
        `var["in_source"]` is false. Spots without tissue or counts are removed.
        `obsm["spatial"]`: float64 (spots, 2), x and y in full-resolution pixels. `obs`: `n_counts`,
        `n_genes` and `mito_share`, over all genes of the section. `uns["spatial"]`: the tissue
        image, if available.

    Raises
    ------
    InputError
        If the section cannot be read, or has too few spots or too few of the model's genes.

    Examples
    --------
    >>> adata = sagefm.read("heart-1.h5ad", model)
    >>> adata.shape
    (82, 300)
    """
    recipe = model.recipe if model else ModelRecipe(read_panel(PAPER_PANEL))
    path = Path(path)
    row = {
        "sample": section_name(path),
        "path_or_id": str(path),
        "positions": positions,
        "technology": technology,
        "layer": layer,
        "library": library,
        "library_key": library_key,
        "orientation": orientation,
    }
    given = {"min_overlap": min_overlap, "aliases": aliases or None}
    harmonise = {**recipe.harmonise, **{key: one for key, one in given.items() if one is not None}}
    try:
        adata = ingest(path, row, recipe.panel, recipe.qc, harmonise, image_pixels=HIRES_PIXELS)
    except InputError as error:
        if not isinstance(error.__cause__, FewSpots):
            raise
        raise InputError(
            f"sample {row['sample']}: {error.__cause__.problem}. Fix: give a section with more "
            "such spots; the limits are those of the model's training."
        ) from error
    adata.uns["provenance"]["technology"] = technology
    return adata


def embed(
    adata: AnnData,
    model: FittedModel,
    *,
    layer: str | None = None,
    library_key: str | None = None,
    technology: str | None = None,
    min_overlap: float | None = None,
) -> AnnData:
    """Write the embedding of each spot into `obsm["X_sagefm"]`: float32 (spots, width).

    Parameters
    ----------
    adata
        Raw counts (spots, genes), dense or sparse. Genes are matched to the model's by symbol:
        `var_names`, or `var["gene_symbols"]` if `var_names` are Ensembl ids. `obsm["spatial"]`
        holds x and y of each spot, in full-resolution pixels. All spots are used, so remove those
        without tissue first.
    model
        A model from `load`.
    layer
        Layer that holds the raw counts. Default: `X`.
    library_key
        Column of `obs` that names each spot's section. Required for several sections, because
        spots of different sections are never neighbours.
    technology
        `Visium` or `Spatial Transcriptomics`. Only a model with a `grid` graph needs it, together
        with `obs["array_row"]` and `obs["array_col"]`. Default: the value passed to `read`.
    min_overlap
        Minimum fraction of the model's genes that must be found, 0 to 1. Default: the model's own.

    Returns
    -------
    AnnData
        `adata` itself.

    Raises
    ------
    InputError
        If counts, coordinates or genes cannot be used. `adata` is then unchanged.

    Examples
    --------
    >>> sagefm.embed(adata, model).obsm["X_sagefm"].shape
    (82, 32)
    """
    source = Source(layer, library_key, technology, min_overlap)
    with prepared_sections(adata, model.recipe, source) as sections:
        parts = [np.concatenate([*model.embedded_rows(section)]) for section, _ in sections]
    values = np.empty((adata.n_obs, parts[0].shape[1]), dtype=np.float32)
    for part, (_, rows) in zip(parts, sections, strict=True):
        values[rows] = part
    adata.obsm[EMBEDDING] = values
    return adata


def predict(
    adata: AnnData,
    model: FittedModel,
    *,
    layer: str | None = None,
    library_key: str | None = None,
    technology: str | None = None,
    min_overlap: float | None = None,
) -> AnnData:
    """Write the predicted expression into `layers["predicted"]`: float32 (spots, genes).

    No gene is hidden from the model. Values are in units of the model's normalisation, such as
    log(1 + count). Genes of `adata` that the model lacks are NaN.

    Parameters
    ----------
    adata, model, layer, library_key, technology, min_overlap
        See `embed`.

    Returns
    -------
    AnnData
        `adata` itself.

    Raises
    ------
    InputError
        See `embed`.

    Examples
    --------
    >>> sagefm.predict(adata, model).layers["predicted"].shape
    (82, 300)
    """
    symbols = source_symbols(AnnData(var=standard_var(adata.var)))
    columns = pd.Index(model.genes).get_indexer(symbols)
    shown, every = columns >= 0, np.ones(len(model.genes), dtype=bool)
    values = np.full(adata.shape, np.nan, dtype=np.float32)
    source = Source(layer, library_key, technology, min_overlap)
    with prepared_sections(adata, model.recipe, source) as sections:
        for section, rows in sections:
            start = 0
            for block in model.completed_rows(section, every):
                here = rows[start : start + len(block)]
                values[np.ix_(here, shown)] = block[:, columns[shown]]
                start += len(block)
    adata.layers[PREDICTED] = values
    return adata
