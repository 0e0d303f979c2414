"""Power and false positives of the perturbation analysis, from planted gene pairs.

Dependences of known strength are planted in the counts of bundled sections (see
`sagefm.perturbation.planted`). A small network of the paper's kind is trained on half of the
sections. The pairs are perturbed on the other half, and the summary's test is applied. Strength 0
plants nothing, so any pair found there is a false positive. From the repository:

    python workflow/bench/power.py

writes `resources/perturbation/power.tsv`: thirty runs of 6 s each on one core.
"""

import argparse
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from scipy import stats

from bench.bundled import RESOURCES
from sagefm.common.h5ad import write_h5ad
from sagefm.common.io import write_table
from sagefm.common.progress import progress_bar
from sagefm.common.verdict import ALPHA
from sagefm.graphs.neighbourhoods import build_graph, others_operator, save_graph
from sagefm.networks.fitted import FittedModel
from sagefm.networks.recipe import ModelRecipe
from sagefm.perturbation.coexpression import Coexpression, neighbour_correlation
from sagefm.perturbation.experiment import perturb_pairs
from sagefm.perturbation.planted import draw_pairs, plant_pairs
from sagefm.perturbation.summary import summarise_pairs
from sagefm.perturbation.terms import BETWEEN, FORWARD, INPUTS
from sagefm.sections.batches import Batches
from sagefm.sections.gene_summary import summarise_genes
from sagefm.sections.section import Section, sections_of
from sagefm.training.trainer import Recipe, Trainer

TRAINING = ("SPA120", "SPA124", "SPA126", "SPA129", "SPA135", "SPA141", "SPA147")
VALIDATION = ("SPA153",)
PERTURBED = ("SPA121", "SPA123", "SPA127", "SPA130", "SPA136", "SPA142", "SPA148", "SPA154")
"""Sections of the bundled breast cohort. The perturbed ones are the demo's."""

STRENGTHS = (0.0, 0.4, 0.8)
NUMBERS = (30,)
"""Number of planted inputs, each with one output. The demo's tables have 6 and 354 inputs. With 6,
no effect can be significant: the smallest possible p is 0.03 before Holm's correction."""

OUTPUT = RESOURCES / "perturbation/power.tsv"


@dataclass(frozen=True)
class Design:
    """Design of a run: what is planted, and how it is trained and perturbed.

    Attributes
    ----------
    inputs
        Number of planted pairs. Each input has one output.
    genes
        Number of genes of the sections, the most abundant.
    spots
        Number of spots perturbed in total (the demo's: 80).
    epochs, widths
        Epochs of training, and widths of the paper's network (`gcn` on `knn_clique`), here reduced.
    """

    inputs: int = 30
    genes: int = 200
    spots: int = 80
    epochs: int = 12
    widths: tuple[int, ...] = (64, 32, 32, 32, 64)


def planted_sections(
    folder: Path,
    names: Sequence[str],
    genes: Sequence[str],
    pairs: np.ndarray,
    strength: float,
    seed: int,
) -> list[Section]:
    """Write bundled sections of some genes, with planted pairs, and their neighbourhoods."""
    samples, graphs = [], []
    for number, name in enumerate(names):
        section = bundled(name)[:, genes].copy()
        graph = build_graph(section.obsm["spatial"], kind="knn_clique", size=15)
        others = others_operator(graph.indptr, graph.ego)
        rng = np.random.default_rng([seed, number])
        at = section.obsm["spatial"]
        section.X = plant_pairs(sp.csr_matrix(section.X), at, others, pairs, strength, rng)
        samples.append(folder / f"samples/planted/{name}.h5ad")
        graphs.append(folder / f"graphs/planted/{name}.npz")
        write_h5ad(section, samples[-1])
        save_graph(graph, graphs[-1])
    return sections_of(samples, graphs)


def run_chain(design: Design, strength: float, seed: int) -> dict[str, pd.DataFrame]:
    """Plant, train, perturb and summarise; return the tables of `summarise_pairs`."""
    genes = common_genes(design.genes)
    pairs = draw_pairs(len(genes), design.inputs, np.random.default_rng(seed))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = genes, pairs, strength
        parts = (
            planted_sections(folder, part, *given, 100 * seed + number)
            for number, part in enumerate((TRAINING, VALIDATION, PERTURBED))
        )
        training, validation, perturbed = parts
        recipe = Recipe(
            widths=design.widths, learning_rate=1e-3, weight_decay=0.0, epochs=design.epochs,
            seed=seed,
        )  # fmt: skip
        both = (Batches(own, "mean", "log1p", seed=seed) for own in (training, validation))
        trainer = Trainer(recipe, *both, folder / "state", device=torch.device("cpu"))
        trainer.run()
        model = FittedModel(
            trainer.network, ModelRecipe(genes, "gcn", "log1p", {"kind": "knn_clique"})
        )
        return _perturbed(model, training, perturbed, genes, pairs, design, seed, folder)


def _perturbed(
    model: FittedModel,
    training: list[Section],
    perturbed: list[Section],
    genes: list[str],
    pairs: np.ndarray,
    design: Design,
    seed: int,
    folder: Path,
) -> dict[str, pd.DataFrame]:
    names = np.array(genes)
    means = summarise_genes(training, "log1p")["mean"]
    table = pd.DataFrame(names[pairs], columns=["input", "output"]).assign(sign=1, group="planted")
    facts = pd.DataFrame({"sample": [section.sample for section in perturbed]})
    facts = facts.assign(patient=facts["sample"], patient_seen=False)
    settings = {"spots": design.spots, "levels": 5, "controls": 10, "seed": seed}
    gene_means = pd.DataFrame({"gene": genes, "mean": means.to_numpy()})
    levels = summarise_genes(perturbed, "log1p")
    both, known = [], []
    exchanged = table.rename(columns={"input": "output", "output": "input"})
    for direction, own in (("forward", table), ("reverse", exchanged)):
        given = model, perturbed, facts, own, gene_means, levels, settings
        both.append(perturb_pairs(*given, folder / direction))
        sides = [np.sort(names[pairs[:, i]]) for i in ((0, 1) if own is table else (1, 0))]
        columns = [pd.Index(genes).get_indexer(side) for side in sides]
        found = neighbour_correlation(training, "log1p", *columns)
        known.append(Coexpression(*map(list, sides), *found))
    means_of = table.assign(
        input_mean=table["input"].map(means), output_mean=table["output"].map(means)
    )
    return summarise_pairs((both[0], both[1]), (known[0], known[1]), means_of, seed)


@cache
def bundled(name: str) -> anndata.AnnData:
    """Read a bundled section, once per process."""
    return anndata.read_h5ad(RESOURCES / f"demo/st/{name}.h5ad")


@cache
def common_genes(number: int) -> list[str]:
    """Return the most abundant genes of the first training section that all sections share."""
    sections = [bundled(name) for name in (*TRAINING, *VALIDATION, *PERTURBED)]
    shared = set.intersection(*(set(section.var_names) for section in sections))
    totals = pd.Series(np.asarray(sections[0].X.sum(axis=0)).ravel(), sections[0].var_names)
    totals = totals[totals.index.isin(shared)].sort_values(ascending=False, kind="stable")
    return totals.index[:number].tolist()


def found(tables: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """Return the results for a run's planted pairs. All tests are over inputs."""
    own = tables["summary"].query(f"unit == '{INPUTS}'").set_index(["direction", "control"])
    above = (own["difference"] > 0) & (own["p_holm"] < ALPHA)
    scores = tables["discrimination"].query(f"direction == '{FORWARD}'").set_index("score")
    return {
        "exceeds_controls": float(above[FORWARD][["unmatched", "expression_matched"]].all()),
        "directional": float(above[BETWEEN]["expression_matched"]),
        "cohens_d_z": own["cohens_d_z"][FORWARD]["expression_matched"],
        "auroc": scores["auroc"]["slope"],
    }


def power_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Shares of runs in which pairs were found, with exact 95% intervals (Clopper-Pearson).

    Parameters
    ----------
    runs
        One row per run: strength, n_inputs, n_spots, seed and the values of `found`.
    """
    rows = []
    for (strength, inputs, spots), own in runs.groupby(["strength", "n_inputs", "n_spots"]):
        row = {"strength": strength, "n_inputs": inputs, "n_spots": spots, "n_runs": len(own)}
        for name in ("exceeds_controls", "directional"):
            times = int(own[name].sum())
            interval = stats.binomtest(times, len(own)).proportion_ci()
            row |= {name: times / len(own), f"{name}_low": interval.low}
            row[f"{name}_high"] = interval.high
        rows.append(row | {"mean_d_z": own["cohens_d_z"].mean(), "mean_auroc": own["auroc"].mean()})
    return pd.DataFrame(rows)


def run_once(strength: float, inputs: int, seed: int) -> dict[str, float]:
    """Run one design and return a row for `power_table`."""
    design = Design(inputs)
    row = {"strength": strength, "n_inputs": inputs, "n_spots": design.spots, "seed": seed}
    return row | found(run_chain(design, strength, seed))


def main() -> None:
    """Run all strengths, numbers of inputs and seeds, and write the table."""
    parser = argparse.ArgumentParser(description="Power of the perturbation analysis.")
    parser.add_argument("--runs", type=int, default=10, help="runs (seeds) a strength")
    runs_each = parser.parse_args().runs
    logging.disable(logging.INFO)
    torch.set_num_threads(1)  # its products are small: more threads would wait for one another
    cells = [*product(STRENGTHS, NUMBERS, range(1, runs_each + 1))]
    runs = pd.DataFrame([run_once(*cell) for cell in progress_bar(cells, unit="run")])
    write_table(power_table(runs).round(4), OUTPUT)


if __name__ == "__main__":
    main()
