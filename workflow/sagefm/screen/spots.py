"""Genes of a screen, and the spots drawn from each context."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sagefm.common.errors import InputError
from sagefm.common.io import read_table
from sagefm.networks.fitted import FittedModel
from sagefm.networks.perturbed import Neighbourhoods, neighbourhoods
from sagefm.sections.cohort import cohort_obs, describe_spots
from sagefm.sections.genes import named_columns
from sagefm.sections.graph_files import graph_files
from sagefm.sections.section import Section
from sagefm.training.scored_sections import scored_sections


def screened_genes(
    genes: pd.DataFrame,
    inputs: str | Path | None,
    outputs: str | Path | None,
    pairs: Sequence[str | Path],
) -> tuple[np.ndarray, np.ndarray]:
    """Select a screen's inputs and outputs, as columns of the panel (int64, ascending).

    Genes whose expression does not vary in the cohort are not inputs.

    Parameters
    ----------
    genes
        Table of `gene_summary.GeneSums.summary`.
    inputs, outputs
        Files of gene symbols, or None for the whole panel.
    pairs
        Pair tables. If given, their outputs are screened instead of `outputs`.

    Raises
    ------
    InputError
        If a file names no gene or a gene that the panel lacks, or if no input varies.
    """
    panel, everything = genes.index, np.arange(len(genes))
    raised = named_columns(inputs, panel) if inputs else everything
    varies = (genes["high"] > genes["low"]).to_numpy()[raised]
    if not varies.any():
        raise InputError(f"{inputs}: no gene varies in the cohort. Fix: name other inputs.")
    read = named_columns(outputs, panel) if outputs else everything
    if pairs:
        named = pd.concat([read_table(path)["output"] for path in pairs])
        read = np.flatnonzero(panel.isin(named))
    return raised[varies], read


def sample_spots(obs: pd.DataFrame, context: str, spots: int, seed: int) -> dict[str, np.ndarray]:
    """Draw the rows of a cohort to perturb: one sorted array for each context.

    At most `spots` rows are drawn at random for each context, as evenly over samples as possible.
    Spots with an unknown context are excluded.

    Parameters
    ----------
    obs
        Table of `cohort.describe_spots`.
    context
        `all`, or a column of `obs`: organ, label or patient.

    Raises
    ------
    InputError
        If no spot has a context.
    """
    names = pd.Series("all", obs.index) if context == "all" else obs.get(context)
    table = pd.DataFrame({"context": names, "sample": obs["sample"], "row": np.arange(len(obs))})
    table = table.dropna().astype({"context": str})
    table = table[table["context"] != ""]
    if table.empty:
        raise InputError(
            f"no spot of samples {', '.join(obs['sample'].unique())} has a {context}. Fix: "
            "choose another `context` of the screen in the config."
        )
    table = table.sample(frac=1, random_state=seed)
    table["round"] = table.groupby(["context", "sample"], observed=True).cumcount()
    table = table.sort_values("round", kind="stable").groupby("context").head(spots)
    return {name: np.sort(rows) for name, rows in table.groupby("context")["row"]}


@dataclass(frozen=True)
class Drawn:
    """Spots to perturb: sections, and for each context, rows over all sections together."""

    sections: Sequence[Section]
    contexts: dict[str, np.ndarray]

    @property
    def sizes(self) -> dict[str, int]:
        """Number of spots of each context."""
        return {name: len(rows) for name, rows in self.contexts.items()}

    def neighbourhoods(
        self, model: FittedModel, hidden_genes: Sequence[int]
    ) -> Iterator[tuple[Neighbourhoods, Tensor]]:
        """Yield the spots in batches of `networks.perturbed`, reading each section once.

        Each batch is yielded with the numbers of its spots' contexts: int64 (spots,).
        """
        rows = np.concatenate([*self.contexts.values()])
        numbers = np.repeat(np.arange(len(self.contexts)), [*self.sizes.values()])
        start = 0
        for section in self.sections:
            end = start + section.n_spots()
            inside = (start <= rows) & (rows < end)
            if inside.any():
                own = torch.from_numpy(numbers[inside]).to(model.device)
                for batch in neighbourhoods(model, section, rows[inside] - start, hidden_genes):
                    yield batch, own[: batch.n_spots]
                    own = own[batch.n_spots :]
            start = end


def spots_of_cohort(
    inputs: Any, rows: Sequence[Mapping], cohort: str, context: str, spots: int, seed: int
) -> Drawn:
    """Draw spots from the sections of a cohort that a model may be scored on, by `sample_spots`.

    Parameters
    ----------
    inputs
        Input files: the cohort's samples, the folder of its graphs, the model's split, and the
        cohort's labels if they are the context.
    rows
        Rows of the cohort's sheet; see `scored_sections`.
    """
    graphs = graph_files(inputs.samples, inputs.graphs)
    sections, _ = scored_sections(inputs.samples, graphs, inputs.split, rows, cohort)
    spots_of = cohort_obs([section.counts_path for section in sections])
    obs = describe_spots(spots_of, rows, inputs.labels)
    return Drawn(sections, sample_spots(obs, context, spots, seed))
