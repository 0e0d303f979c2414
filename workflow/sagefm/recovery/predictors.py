"""Predictors of hidden genes: the model, untrained baselines, and controls that see no gene."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sagefm.graphs.neighbourhoods import load_graph, others_operator
from sagefm.networks.fitted import FittedModel
from sagefm.sections.batches import Batches
from sagefm.sections.section import Section, read_counts

ROLES = {
    "model": "model",
    "neighbour_mean": "untrained",
    "sample_gene_mean": "untrained",
    "gene_mean": "untrained",
    "zero": "untrained",
    "visible_depth": "control",
    "neighbour_depth": "control",
    "random": "control",
}
"""Role of each predictor.

`neighbour_mean` is the neighbours' mean expression, `sample_gene_mean` the gene's mean over the
sample's visible entries, `gene_mean` its mean over the training samples, and `zero` predicts 0.
The controls predict the same value for all genes of a spot: `visible_depth` is
log(1 + counts of its visible genes), `neighbour_depth` log(1 + mean counts of its neighbours), and
`random` a seeded random number. A correlation that a control reaches is not evidence about genes.
"""

PREDICTORS = tuple(ROLES)

RANKED = PREDICTORS[:3]
"""Predictors with a pooled Spearman correlation."""

EXPRESSION = tuple(name for name, role in ROLES.items() if role != "control")
"""Predictors on the scale of expression, the first of `PREDICTORS`. Only these have an error."""


DEPTH_DEGREE = 3
"""Degree of the polynomial in log depth that is partialled out.

Expression is not linear in log depth. For counts drawn from depth alone, a predictor that knows
only the depth keeps a partial correlation of 0.2 given a straight line, and less than 0.02 given a
cubic (`tests/recovery/test_recovery.py`)."""


class Predicted(NamedTuple):
    """A batch of spots: true and predicted expression, the mask, and the spots' depths.

    Attributes
    ----------
    truth, mask
        True expression, and whether it is hidden: (spots, genes).
    predicted
        Predictions of `EXPRESSION`: float32 (P, spots, genes).
    blind
        Predictions of the controls, the same for all genes: float64 (B, spots).
    depth
        Terms of `depth_terms`: float64 (spots, `DEPTH_DEGREE`).
    """

    truth: np.ndarray
    mask: np.ndarray
    predicted: np.ndarray
    blind: np.ndarray
    depth: np.ndarray


def depth_terms(total: np.ndarray) -> np.ndarray:
    """Powers of log(1 + counts of the complete spot), standardised over a section's spots."""
    log_depth = np.log1p(total)
    centred = (log_depth - log_depth.mean()) / (log_depth.std() or 1)
    return centred[:, None] ** np.arange(1, DEPTH_DEGREE + 1)


class Depths:
    """Counts of the spots of one section, and of their neighbours."""

    def __init__(self, section: Section) -> None:
        self.counts = read_counts(section.counts_path)
        self.total = np.asarray(self.counts.sum(axis=1), dtype=float).ravel()
        self.terms = depth_terms(self.total)
        graph = load_graph(section.graph_path)
        self.neighbours = others_operator(graph.indptr, graph.ego) @ self.total

    def visible(self, start: int, mask: np.ndarray) -> np.ndarray:
        """Sum the visible genes' counts of the rows from `start` on: float64 (spots,)."""
        rows = self.counts[start : start + len(mask)]
        spot = np.repeat(np.arange(len(mask)), np.diff(rows.indptr))
        shown = rows.data * ~mask[spot, rows.indices]
        return np.bincount(spot, weights=shown, minlength=len(mask))


def predictions(model: FittedModel, batches: Batches, gene_mean: np.ndarray) -> Iterator[Predicted]:
    """Yield truth and predictions of one section's batches, in the order of its spots."""
    (section,) = batches.sections
    channels = replace(batches, layout="channels", unmeasured=None)
    depths = Depths(section)
    near = np.log1p(depths.neighbours)
    noise = np.random.default_rng([batches.seed, section.key]).random(len(depths.total))
    sample_mean, done = _visible_mean(channels), 0
    for batch, both in zip(batches.epoch(0), channels.epoch(0), strict=True):
        predicted = model.predict(batch.to(model.device)).cpu().numpy()
        truth, mask = batch.target.numpy(), batch.mask.numpy()
        here = slice(done, done + len(truth))
        stack = np.zeros((len(EXPRESSION), *truth.shape), dtype=np.float32)
        stack[0], stack[1] = predicted, both.inputs[1].numpy()
        stack[2], stack[3] = sample_mean, gene_mean
        blind = np.log1p(depths.visible(done, mask)), near[here], noise[here]
        yield Predicted(truth, mask, stack, np.stack(blind), depths.terms[here])
        done = here.stop


def _visible_mean(batches: Batches) -> np.ndarray:
    """Mean of each gene over its visible entries: float64 (genes,)."""
    visible, total = 0.0, 0.0
    for batch in batches.epoch(0):
        shown = ~batch.mask.numpy()
        visible = visible + shown.sum(axis=0)
        total = total + (batch.target.numpy() * shown).sum(axis=0, dtype=np.float64)
    return np.divide(total, visible, out=np.zeros_like(total), where=visible > 0)
