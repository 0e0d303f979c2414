"""Perturbation experiment: the response of one gene to another, and of control genes.

For a pair (input, output), the input is set to a level in the neighbours of every chosen spot
(`networks.perturbed`). The output's prediction is read at the spot, where genes are hidden (see
`terms.hidden_by`). The predictions of three kinds of control genes are read as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from sagefm.common.errors import InputError
from sagefm.common.progress import progress_bar
from sagefm.common.state import remembered
from sagefm.networks.fitted import FittedModel
from sagefm.networks.perturbed import across_sections, choose_spots
from sagefm.perturbation.responses import KINDS, PairResponses, slope_weights
from sagefm.sections.gene_summary import levels_between
from sagefm.sections.section import Section

NEARBY = 20
"""Number of nearest genes in expression, per control, that matched controls are drawn from."""

CHUNK_BYTES = 2**28
"""Maximum size of the sums held at once. Inputs are processed in chunks of this size."""


def draw_controls(pairs: np.ndarray, gene_mean: np.ndarray, number: int, seed: int) -> np.ndarray:
    """Draw random and expression-matched control genes of each pair: int64 (P, 2, number).

    No control is the pair's input, or an output of that input.

    Parameters
    ----------
    pairs
        int64 (P, 2): columns of input and output.
    gene_mean
        (genes,): mean expression, which controls are matched by.
    seed
        Seed of the draw. A pair's controls depend only on the seed and the pair.

    Raises
    ------
    InputError
        If the panel has too few other genes.
    """
    order = np.argsort(gene_mean, kind="stable")
    place = np.argsort(order)
    partners = pd.Series(pairs[:, 1]).groupby(pairs[:, 0]).agg(set)
    drawn = np.empty((len(pairs), 2, number), dtype=np.int64)
    for own, (source, target) in zip(drawn, pairs, strict=True):
        rng = np.random.default_rng([seed, source, target])
        excluded = np.array([source, *partners[source]])
        if len(order) - len(excluded) < number:
            raise InputError(
                f"the panel has {len(order)} genes, too few for {number} controls beside an input "
                f"with {len(excluded) - 1} outputs. Fix: lower `perturbation.controls` in the "
                "config."
            )
        others = np.delete(np.arange(len(order)), excluded)
        own[0] = rng.choice(others, number, replace=False)
        distance = np.abs(place[others] - place[target])
        nearest = others[np.argsort(distance, kind="stable")[: NEARBY * number]]
        own[1] = rng.choice(nearest, number, replace=False)
    return drawn


def perturb_pairs(
    model: FittedModel,
    sections: Sequence[Section],
    facts: pd.DataFrame,
    pairs: pd.DataFrame,
    gene_means: pd.DataFrame,
    genes: pd.DataFrame,
    settings: Mapping[str, int],
    state: Path,
    hidden: str = "table",
) -> PairResponses:
    """Perturb every input of a pair table, and read its outputs and their controls.

    Parameters
    ----------
    facts
        Facts of each section: sample, patient, patient_seen.
    pairs
        Columns input, output, sign, group. All genes are in the panel.
    gene_means
        The panel in the network's order: columns gene, mean (over the training samples).
    genes
        The sections' genes, from `GeneSums.summary`. Levels are between each gene's low and high.
    settings
        `spots` in all, `levels`, `controls` per pair and kind, and `seed`.
    state
        Folder where finished chunks of inputs are kept, so that an interrupted job can resume.
    hidden
        Genes to hide, from `terms.hidden_by`.
    """
    column = pd.Series(np.arange(len(gene_means)), gene_means["gene"])
    coded = np.stack([column[pairs[side]].to_numpy() for side in ("input", "output")], axis=1)
    seed = settings["seed"]
    plan = PerturbationPlan(
        coded,
        levels_between(genes, np.unique(coded[:, 0]), settings["levels"]),
        draw_controls(coded, gene_means["mean"].to_numpy(), settings["controls"], seed),
        hidden,
    )
    rows = choose_spots(sections, settings["spots"], seed)
    responses = respond_to_pairs(model, sections, rows, plan, state)
    samples = facts[["sample", "patient", "patient_seen"]]
    names = gene_means["gene"].to_numpy()
    return PairResponses(
        pairs[["input", "output", "sign", "group"]].reset_index(drop=True),
        names[plan.inputs].tolist(),
        names[plan.outputs].tolist(),
        samples.assign(n_spots=[len(chosen) for chosen in rows]).reset_index(drop=True),
        plan.levels,
        *responses,
    )


@dataclass(frozen=True)
class PerturbationPlan:
    """Genes to perturb and to read, as columns of the panel.

    Attributes
    ----------
    pairs
        int64 (P, 2): input and output.
    levels
        float32 (I, L): levels of the distinct inputs, in sorted order.
    controls
        int64 (P, 2, C), from `draw_controls`.
    hidden
        Genes to hide, from `terms.hidden_by`.
    """

    pairs: np.ndarray
    levels: np.ndarray
    controls: np.ndarray
    hidden: str = "table"

    @property
    def inputs(self) -> np.ndarray:
        """Distinct inputs (I,), sorted."""
        return np.unique(self.pairs[:, 0])

    @property
    def outputs(self) -> np.ndarray:
        """Distinct outputs (T,), sorted."""
        return np.unique(self.pairs[:, 1])

    def read(self, own: int) -> np.ndarray:
        """Genes to read for one input, by its number: the outputs, then its pairs' controls."""
        return np.concatenate([self.outputs, self.controls[self.of_input(own)].ravel()])

    def of_input(self, own: int) -> np.ndarray:
        """Pairs of one input, by its number: rows of `pairs`."""
        return np.flatnonzero(self.pairs[:, 0] == self.inputs[own])

    def passes(self, chunk: np.ndarray) -> list[tuple[np.ndarray, list[tuple[int, np.ndarray]]]]:
        """Plan the passes over the spots: which genes are hidden together, and which are read.

        Each pass has the genes hidden at the central spots. It also lists inputs, by their place in
        the chunk, each with the places in `read` of the genes to read.
        """
        n = len(self.outputs)
        if self.hidden == "table":
            every = [(i, np.arange(len(self.read(own)))) for i, own in enumerate(chunk)]
            return [(self.outputs, every)]
        parts: list[tuple[np.ndarray, list[tuple[int, np.ndarray]]]] = []
        if self.hidden == "ligand_receptor":
            parts.append((self.outputs, [(i, np.arange(n)) for i in range(len(chunk))]))
        for i, own in enumerate(chunk):
            pairs = self.of_input(own)
            if self.hidden == "downstream":
                parts.append((np.unique(self.pairs[pairs, 1]), [(i, np.arange(n))]))
            controls = self.controls[pairs]
            places = n + np.arange(controls.size).reshape(controls.shape)
            for kind in range(controls.shape[1]):
                alone = np.unique(controls[:, kind])
                parts.append((alone, [(i, places[:, kind].ravel())]))
        return parts

    def chunks(self, sections: int) -> list[np.ndarray]:
        """Split the inputs into chunks whose sums fit into `CHUNK_BYTES`."""
        wide = len(self.outputs) + 2 * self.controls.shape[2] * len(self.pairs) / len(self.inputs)
        each = 8 * sections * self.levels.shape[1] * wide
        size = max(1, int(CHUNK_BYTES // each))
        return np.array_split(np.arange(len(self.inputs)), -(-len(self.inputs) // size))


def respond_to_pairs(
    model: FittedModel,
    sections: Sequence[Section],
    rows: Sequence[np.ndarray],
    plan: PerturbationPlan,
    state: Path,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the curves, slopes and control slopes of `PairResponses`.

    Parameters
    ----------
    rows
        Chosen spots of each section.
    state
        Folder where finished chunks of inputs are kept, so that an interrupted job can resume.
    """
    parts = []
    chunks = plan.chunks(len(sections))
    for number, chunk in enumerate(progress_bar(chunks, desc="inputs", unit="chunk")):
        compute = partial(_respond_chunk, model, sections, rows, plan, chunk)
        parts.append(remembered(state / f"{number}.npz", compute))
    curves = np.empty((len(plan.pairs), *parts[0]["curves"].shape[1:]), dtype=np.float32)
    controls = np.empty(plan.controls.shape, dtype=np.float32)
    for part in parts:
        curves[part["pairs"]], controls[part["pairs"]] = part["curves"], part["control_slopes"]
    return curves, np.concatenate([part["slopes"] for part in parts]), controls


@torch.inference_mode()
def _respond_chunk(
    model: FittedModel,
    sections: Sequence[Section],
    rows: Sequence[np.ndarray],
    plan: PerturbationPlan,
    chunk: np.ndarray,
) -> dict[str, np.ndarray]:
    """Compute the arrays of `respond_to_pairs` for a chunk; `pairs` are its rows in the plan."""
    inputs, outputs, device = plan.inputs, plan.outputs, model.device
    of_input, read = [plan.of_input(i) for i in chunk], [plan.read(i) for i in chunk]
    n_levels = plan.levels.shape[1]
    shapes = [(len(sections), n_levels, len(genes)) for genes in read]
    sums = [torch.zeros(shape, dtype=torch.float64, device=device) for shape in shapes]
    wanted = [torch.from_numpy(genes).to(device) for genes in read]
    levels = torch.from_numpy(plan.levels[chunk]).to(device)
    passes = plan.passes(chunk)
    # Read each section only once, even with several passes.
    held = [model.chunk([section]) for section in sections] if len(passes) > 1 else []
    for hidden, asked in passes:
        for spots, owner in across_sections(model, sections, rows, hidden, chunks=held):
            for i, own in asked:
                places = torch.from_numpy(own).to(device)
                genes = wanted[i][places]
                response = spots.respond(int(inputs[chunk[i]]), levels[i], genes).transpose(0, 1)
                part = torch.zeros((*shapes[i][:2], len(own)), dtype=torch.float64, device=device)
                sums[i][:, :, places] += part.index_add_(0, owner, response.double())
    sizes = torch.tensor([len(chosen) for chosen in rows], device=device)
    sums = [total / sizes[:, None, None] for total in sums]
    means = [mean.cpu().numpy() for mean in sums]
    result: dict[str, list[np.ndarray]] = {"curves": [], "slopes": [], "control_slopes": []}
    weights = slope_weights(plan.levels[chunk])
    for own, pairs, mean, weight in zip(chunk, of_input, means, weights, strict=True):
        table, drawn = np.split(mean, [len(outputs)], axis=2)
        drawn = drawn.reshape(len(sections), n_levels, len(pairs), 2, -1)
        paired = np.searchsorted(outputs, plan.pairs[pairs, 1])
        others = np.setdiff1d(np.arange(len(outputs)), paired)
        others = others[outputs[others] != inputs[own]]
        unmatched = table[:, :, others].mean(axis=2) if len(others) else table[:, :, 0] * np.nan
        control = drawn.mean(axis=4)
        curves = np.empty((len(pairs), len(KINDS), len(sections), n_levels), dtype=np.float32)
        curves[:, 0] = table[:, :, paired].transpose(2, 0, 1)
        curves[:, 1] = unmatched
        curves[:, 2:] = control.transpose(2, 3, 0, 1)
        slope = weight @ table.mean(axis=0)
        slope[outputs == inputs[own]] = np.nan
        result["curves"].append(curves)
        result["slopes"].append(slope[None].astype(np.float32))
        over_samples = np.einsum("l,slpkc->pkc", weight, drawn) / len(sections)
        result["control_slopes"].append(over_samples.astype(np.float32))
    arrays = {name: np.concatenate(parts) for name, parts in result.items()}
    return arrays | {"pairs": np.concatenate(of_input)}
