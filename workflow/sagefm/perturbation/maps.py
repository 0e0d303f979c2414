"""Maps of the response to a perturbation: a few pairs, at every spot of one section."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from sagefm.networks.fitted import FittedModel
from sagefm.networks.perturbed import neighbourhoods
from sagefm.perturbation.terms import strongest_pairs
from sagefm.sections.gene_summary import levels_between
from sagefm.sections.section import Section, spot_names, spot_positions


def pairs_to_map(
    pairs: pd.DataFrame, named: Sequence[Sequence[str]], number: int = 3
) -> pd.DataFrame:
    """Choose pairs to map: the strongest, with one place kept for a named pair; each input once.

    Parameters
    ----------
    pairs
        One row per pair, from `summary.summarise_pairs`.
    named
        Inputs and outputs of named pairs.
    number
        Number of pairs to map.
    """
    keys = pd.MultiIndex.from_frame(pairs[["input", "output"]])
    wanted = pairs[keys.isin([tuple(pair) for pair in named])]
    strongest = strongest_pairs(pairs)
    first = strongest.head(number - 1 if len(wanted) else number)
    chosen = pd.concat([first, wanted, strongest]).drop_duplicates("input")
    return chosen.head(number).reset_index(drop=True)


@torch.inference_mode()
def response_map(
    model: FittedModel,
    sections: Sequence[Section],
    genes: pd.DataFrame,
    pairs: pd.DataFrame,
    hidden: Sequence[Sequence[str]],
) -> pd.DataFrame:
    """Predict each pair's output at every spot, at the lowest and highest level of its input.

    Parameters
    ----------
    sections
        The cohort's sections. The one with the most spots is mapped.
    genes
        Genes of all sections, from `GeneSums.summary`. Levels are each input's low and high.
    pairs
        Columns input, output.
    hidden
        Genes hidden at the central spots, for each pair, from `terms.hidden_outputs`.

    Returns
    -------
    DataFrame
        sample, spot, x_pixels, y_pixels (full resolution), input, output, input_neighbours
        (mean expression of the input among the neighbours), low, high (predictions), response
        (their difference).
    """
    column = pd.Series(np.arange(len(model.genes)), model.genes)
    section = max(sections, key=lambda section: section.n_spots())
    sources = column[pairs["input"]].to_numpy()
    ends = torch.from_numpy(levels_between(genes, sources, 2)).to(model.device)
    targets = torch.from_numpy(column[pairs["output"]].to_numpy()).to(model.device)
    rows = np.arange(section.n_spots())
    chunk, parts = model.chunk([section]), []
    for pair, source in enumerate(sources):
        genes_hidden = column[list(hidden[pair])].to_numpy()
        batches = neighbourhoods(model, section, rows, genes_hidden, chunk=chunk)
        found = [spots.respond(int(source), ends[pair], targets[[pair]]) for spots in batches]
        parts.append(torch.cat(found, dim=1))
    low, high = torch.cat(parts, dim=2).cpu().numpy()
    neighbours = chunk.neighbour_mean()[:, sources].toarray()
    x, y = spot_positions(section.counts_path)[0].T
    names = spot_names(section.counts_path)
    tables = [
        pd.DataFrame(
            {
                "sample": section.sample,
                "spot": names,
                "x_pixels": x,
                "y_pixels": y,
                "input": pair.input,
                "output": pair.output,
                "input_neighbours": neighbours[:, i],
                "low": low[:, i],
                "high": high[:, i],
                "response": high[:, i] - low[:, i],
            }
        )
        for i, pair in enumerate(pairs.itertuples())
    ]
    return pd.concat(tables, ignore_index=True)
