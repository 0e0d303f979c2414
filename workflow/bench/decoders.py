"""Gain of the light model's decoder from seeing the neighbours' expression of hidden genes.

A share of the difference between neighbours and section mean is added to each gene's prediction.
The share is the same for all genes. Scores are of patients A to F of the labelled sections, on
which the model's design was chosen. From the repository, after the run of `config/light.yaml`:

    python workflow/bench/decoders.py results/light

writes `decoders.tsv` to the run's folder.
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from bench.exploration import CHOSEN_ON
from sagefm.common.io import read_table, write_table
from sagefm.networks.fitted import FittedModel
from sagefm.networks.light import Network
from sagefm.recovery.score import recover
from sagefm.recovery.tables import gene_table, recovery_summary
from sagefm.sections.section import Section, sections_of

SHARES = (0.0, 0.1, 0.3, 0.5, 1.0)
COLUMNS = ["predictor", "patients_recovered", "share_given_depth", "mse"]


class SeesNeighbours(Network):
    """The light network; its embedding also carries the neighbours' differences of all genes."""

    share = 0.0
    """Share of the neighbours' difference that is added to the prediction."""

    def embed_background(self, centre: Tensor, neighbours: Tensor, background: Tensor) -> Tensor:
        """Return the embedding followed by the differences: (spots, 20 + genes)."""
        embedding = super().embed_background(centre, neighbours, background)
        return torch.cat([embedding, neighbours - background], dim=1)

    def decode(self, embedding: Tensor, *context: Tensor) -> Tensor:
        """See `GeneDecoder`."""
        own, neighbours = embedding[:, : self.COMPONENTS], embedding[:, self.COMPONENTS :]
        return functional.relu(context[0] + self.fc_gene(own) + self.share * neighbours)


def recovered(
    model: FittedModel, sections: list[Section], facts: list[dict], means: pd.DataFrame
) -> pd.DataFrame:
    """Return rows of `COLUMNS` for the model and for the neighbours' mean."""
    mean, template = means["mean"].to_numpy(), model.batches(sections)
    with tempfile.TemporaryDirectory() as scratch:
        found = recover(model, sections, template, mean, facts, 1, Path(scratch))
    summary = recovery_summary(found, gene_table(found, means["gene"].tolist()))
    whole = summary[summary["stratum_kind"] == "all"]
    return whole.loc[whole["predictor"].isin(["model", "neighbour_mean"]), COLUMNS]


if __name__ == "__main__":
    run = Path(sys.argv[1])
    light = FittedModel.load(run / "models/light")
    sheet = read_table("config/samples/breast.tsv")
    rows = sheet[sheet["patient"].isin(CHOSEN_ON)]
    sections = sections_of(
        [run / f"samples/breast/{name}.h5ad" for name in rows["sample"]],
        [run / f"graphs/star9/breast/{name}.npz" for name in rows["sample"]],
    )
    facts = rows[["sample", "patient", "organ"]].assign(patient_seen=True).to_dict("records")
    means = read_table(run / "models/light/gene_means.tsv")
    network = SeesNeighbours(len(light.genes))
    network.load_state_dict(light.network.state_dict())
    model = FittedModel(network, light.recipe)
    tables = []
    for network.share in SHARES:
        found = recovered(model, sections, facts, means).assign(share=network.share)
        tables.append(found if not tables else found[found["predictor"] == "model"])
        print(tables[-1].to_string(index=False, header=len(tables) == 1), flush=True)
    write_table(pd.concat(tables), run / "decoders.tsv")
