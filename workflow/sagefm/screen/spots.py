"""What a screen is of: genes, the range of their expression, spots drawn from each context."""

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
    """Columns of the panel (int64, ascending) of a screen's inputs and outputs.

    Genes whose expression does not vary in the cohort are not inputs.

    Parameters
    ----------
    genes
        Of `gene_summary.GeneSums.summary`.
    inputs, outputs
        A file of symbols each; None for the whole panel.
    pairs
        Pair tables whose outputs are the outputs; none to have `outputs` decide.

    Raises
    ------
    InputError
        If a file names no gene, or one that the panel lacks; if no input varies.
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
    """Rows of a cohort to perturb, a sorted array for each context.

    At most `spots` of each, drawn at random, as evenly over samples as they allow. Spots whose
    context is not known are left out.

    Parameters
    ----------
    obs
        Of `cohort.describe_spots`.
    context
        `all`, or a column of it: organ, label, patient.

    Raises
    ------
    InputError
        If no spot has such a context.
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
    """The spots a model is perturbed at: sections, and rows of all of them for each context."""

    sections: Sequence[Section]
    contexts: dict[str, np.ndarray]

    @property
    def sizes(self) -> dict[str, int]:
        """Spots of each context."""
        return {name: len(rows) for name, rows in self.contexts.items()}

    def neighbourhoods(
        self, model: FittedModel, hidden_genes: Sequence[int]
    ) -> Iterator[tuple[Neighbourhoods, Tensor]]:
        """Batches of the spots, as of `networks.perturbed`, each section read once.

        With each batch come its spots' contexts, by number: int64 (spots,).
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
    """Spots of the sections of a cohort that a model may be scored on; see `sample_spots`.

    Parameters
    ----------
    inputs
        Files: the samples of the cohort, the folder of its graphs, the model's split, and the
        cohort's labels if they are the context.
    rows
        The cohort's sheet; see `scored_sections`.
    """
    graphs = graph_files(inputs.samples, inputs.graphs)
    sections, _ = scored_sections(inputs.samples, graphs, inputs.split, rows, cohort)
    spots_of = cohort_obs([section.counts_path for section in sections])
    obs = describe_spots(spots_of, rows, inputs.labels)
    return Drawn(sections, sample_spots(obs, context, spots, seed))
