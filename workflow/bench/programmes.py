"""Describe the programmes of the bundled light model and test how stable they are.

Gene sets enriched among their genes; their values by the pathologist's class, in patients excluded
from the fit; and whether fits that leave out one patient find them again. From the repository,
after the run of `config/light.yaml` (see `make light`):

    python workflow/bench/programmes.py results/light

writes the folder `programmes` of the run, and `resources/figures/light_programmes.png`.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import sagefm
from bench.bundled import RESOURCES
from sagefm.common.io import atomic, read_table, write_table
from sagefm.exports.programme_figures import draw_programmes
from sagefm.exports.programmes import DIRECTIONS
from sagefm.exports.programmes_on_tissue import (
    label_summary,
    matched_values,
    refit,
    section_profile,
    stability,
)
from sagefm.networks.fitted import FittedModel
from sagefm.sections.section import sections_of

SHOWN = 8
"""Number of genes of each direction in the table."""

FDR = 0.05
GRAPH = "star9"
UNDECIDED = "undetermined"


def fits_without(light: FittedModel, run: Path) -> tuple[FittedModel, dict[str, FittedModel]]:
    """Fit the model to its training sections, once with all patients and once without each."""
    split = read_table(run / "models/light/split.tsv")
    trained = split[split["part"] == "train"]

    def fit(rows: pd.DataFrame) -> FittedModel:
        samples = [run / f"samples/{r.cohort}/{r.sample}.h5ad" for r in rows.itertuples()]
        graphs = [run / f"graphs/{GRAPH}/{r.cohort}/{r.sample}.npz" for r in rows.itertuples()]
        return refit(light, sections_of(samples, graphs))

    patients = trained["patient"].unique()
    return fit(trained), {name: fit(trained[trained["patient"] != name]) for name in patients}


def profiles(
    every: FittedModel, without: dict[str, FittedModel]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Profile labelled sections by label, with the spread, using fits that exclude the patient."""
    sheet = read_table("config/samples/breast.tsv")
    labels = read_table(RESOURCES / "demo/labels.tsv", dtype=str)
    by_label, spread = [], []
    for row in sheet.to_dict("records"):
        model = without.get(row["patient"], every)
        adata = sagefm.read(row["path_or_id"], model)
        own = labels[labels["sample"] == row["sample"]].set_index("spot")["label"]
        names = own.reindex(adata.obs_names).replace(UNDECIDED, np.nan)
        values = matched_values(adata, model, every)
        found = section_profile(values, names, adata.obsm["spatial"])
        for table, tables in zip(found, (by_label, spread), strict=True):
            tables.append(table.assign(patient=row["patient"]))
    return pd.concat(by_label, ignore_index=True), pd.concat(spread, ignore_index=True)


def gene_words(weights: pd.DataFrame) -> pd.DataFrame:
    """List the leading genes of each programme and their weights, in both directions."""
    table = pd.DataFrame({"programme": weights.columns})
    for direction, sign in DIRECTIONS.items():
        leading = [(sign * weights[number]).nlargest(SHOWN) for number in weights]
        table[direction] = ["; ".join(own.index) for own in leading]
        table[f"{direction}_weights"] = [
            "; ".join(f"{sign * value:.2f}" for value in own) for own in leading
        ]
    return table


def main(run: Path) -> None:
    """Compute all tables and the figure."""
    light = sagefm.load("light", device="cpu")
    every, without = fits_without(light, run)
    again = stability(every, without)
    by_label, spread = profiles(every, without)
    labels = label_summary(by_label)
    sets = sagefm.programme_sets(light)
    found = again.groupby("programme")["correlation"]
    summary = gene_words(sagefm.programmes(light)).assign(
        correlation=found.median(), correlation_lowest=found.min()
    )
    summary = summary.merge(spread.groupby("programme", as_index=False).mean(numeric_only=True))
    highest = labels.loc[labels.groupby("programme")["value"].idxmax()]
    folder = run / "programmes"
    write_table(summary.merge(highest, on="programme"), folder / "summary.tsv")
    write_table(labels, folder / "labels.tsv")
    write_table(sets[sets["q"] < FDR], folder / "sets.tsv")
    write_table(again, folder / "fits.tsv")
    with atomic(RESOURCES / "figures/light_programmes.png") as temporary:
        draw_programmes(summary, labels, again).savefig(temporary, dpi=200)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
