"""In silico perturbation of a gene in the neighbours of every spot of an AnnData."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from anndata import AnnData

from sagefm.common.errors import InputError, hint
from sagefm.exports.prepared import Source, prepared_sections
from sagefm.networks.fitted import FittedModel
from sagefm.networks.perturbed import neighbourhoods
from sagefm.sections.gene_summary import levels_of
from sagefm.sections.section import Section


def perturb(
    adata: AnnData,
    model: FittedModel,
    gene: str,
    *,
    outputs: Sequence[str],
    levels: int | Sequence[float] = 5,
    layer: str | None = None,
    library_key: str | None = None,
    technology: str | None = None,
    min_overlap: float | None = None,
) -> pd.DataFrame:
    """Set a gene to given levels in every spot's neighbours and predict other genes at the spot.

    As in the paper, the predicted genes are hidden at the spot itself.

    Parameters
    ----------
    adata, model, layer, library_key, technology, min_overlap
        See `embed`.
    gene
        Symbol of the perturbed gene.
    outputs
        Symbols of the predicted genes.
    levels
        Number of levels, evenly spaced from the gene's lowest to its highest expression in
        `adata`; or the levels themselves, in units of the model's normalisation.

    Returns
    -------
    DataFrame
        One row per section, output and level. Columns: `section` (only with `library_key`),
        `input`, `output`, `level`, `predicted` (mean over the section's spots, in units of the
        model's normalisation) and `n_spots`.

    Raises
    ------
    InputError
        If the model lacks a gene or the levels are all equal; see also `embed`.

    Examples
    --------
    >>> table = sagefm.perturb(adata, model, "COL1A1", outputs=["COL3A1", "ACTC1"], levels=3)
    >>> table.groupby("output")["level"].size().to_dict()
    {'ACTC1': 3, 'COL3A1': 3}
    """
    source, *targets = _columns(model, [gene, *outputs])
    if not targets:
        raise InputError("`outputs` is empty. Fix: name the genes to predict.")
    place = Source(layer, library_key, technology, min_overlap)
    with prepared_sections(adata, model.recipe, place) as parts:
        sections = [section for section, _ in parts]
        steps = _levels(model, sections, source, gene, levels)
        tables = [_responses(model, section, source, targets, steps) for section in sections]
    names = [section.sample for section in sections]
    for name, table in zip(names, tables, strict=True):
        table.insert(0, "input", gene)
        if library_key:
            table.insert(0, "section", name)
    return pd.concat(tables, ignore_index=True)


def _columns(model: FittedModel, genes: Sequence[str]) -> list[int]:
    """Column indices of genes in the model's panel."""
    columns = pd.Index(model.genes).get_indexer(list(genes))
    for name, column in zip(genes, columns, strict=True):
        if column < 0:
            raise InputError(f"the model has no gene `{name}`. Fix: {_nearest(name, model.genes)}")
    return columns.tolist()


def _nearest(name: str, genes: Sequence[str]) -> str:
    """Suggest a fix for an unknown symbol. The whole panel is too long to list."""
    question = hint(name, genes)
    return question if question.startswith("did you mean") else "use a symbol of `model.genes`."


def _levels(
    model: FittedModel,
    sections: Sequence[Section],
    column: int,
    gene: str,
    levels: int | Sequence[float],
) -> np.ndarray:
    """Levels of a gene: float32 (levels,), in units of the model's normalisation."""
    if isinstance(levels, int | np.integer):
        steps = levels_of(sections, model.normalisation, [column], levels)[0]
    else:
        steps = np.asarray(levels, dtype=np.float32)
    if len(np.unique(steps)) < 2:
        raise InputError(
            f"`{gene}` has only one level, {steps[:1]}. Fix: give two `levels` or more, as numbers "
            "if the gene does not vary here."
        )
    return steps


@torch.inference_mode()
def _responses(
    model: FittedModel, section: Section, source: int, targets: list[int], levels: np.ndarray
) -> pd.DataFrame:
    """Mean prediction over a section's spots, one row per output and level."""
    rows = np.arange(section.n_spots())
    wanted = torch.tensor(targets, device=model.device)
    steps = torch.from_numpy(levels).to(model.device)
    total = torch.zeros(len(levels), len(targets), dtype=torch.float64, device=model.device)
    for spots in neighbourhoods(model, section, rows, targets):
        total += spots.respond(source, steps, wanted).double().sum(dim=1)
    mean = (total / len(rows)).cpu().numpy()
    return pd.DataFrame(
        {
            "output": np.repeat([model.genes[column] for column in targets], len(levels)),
            "level": np.tile(levels, len(targets)),
            "predicted": mean.T.ravel(),
            "n_spots": len(rows),
        }
    )
