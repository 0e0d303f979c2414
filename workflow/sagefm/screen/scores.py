"""Score a screen by how well it ranks known pairs, against co-expression, abundance and chance.

The field of a pair table is all its inputs by all its outputs, except a gene with itself. The
table's pairs should rank above the other entries.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

from sagefm.common.errors import InputError
from sagefm.screen.jacobian import Jacobian
from sagefm.screen.tables import MEAN, NO_MODEL, by_context
from sagefm.stats.ranking import ranking
from sagefm.stats.resampling import BOOTSTRAPS, resampling, with_intervals

if TYPE_CHECKING:  # takes seconds to import, and only callers need it
    from anndata import AnnData

REFERENCE = "coexpression"
"""Score without a model that the other scores' AUROC is compared with."""

STRATA = 10
"""Number of classes of mean expression within which the null permutes outputs."""


@dataclass(frozen=True)
class Truth:
    """A pair table's field, inputs by outputs, and the pairs known in it.

    Attributes
    ----------
    inputs, outputs
        Symbols, in the order of their first pair.
    listed
        int64 (pairs, 2): numbers of input and output.
    sign
        int64 (pairs,): +1 or -1.
    field
        bool (inputs, outputs): False where input and output are the same gene.
    """

    inputs: list[str]
    outputs: list[str]
    listed: np.ndarray
    sign: np.ndarray
    field: np.ndarray

    @property
    def prevalence(self) -> float:
        """Share of listed entries in the field: the average precision expected by chance."""
        return len(self.listed) / self.field.sum()


def read_truth(pairs: pd.DataFrame, inputs: pd.Index, outputs: pd.Index, name: str) -> Truth:
    """Restrict a pair table to the genes of a screen and return its field.

    Parameters
    ----------
    pairs
        Columns input, output, sign.
    inputs, outputs
        Genes of the screen.
    name
        Name of the table, for error messages.

    Raises
    ------
    InputError
        If the field has no listed pair, or no other entry.
    """
    kept = pairs["input"].isin(inputs) & pairs["output"].isin(outputs)
    kept &= pairs["input"] != pairs["output"]
    pairs = pairs[kept].drop_duplicates(["input", "output"])
    sources, names = pd.factorize(pairs["input"])
    targets, others = pd.factorize(pairs["output"])
    field = np.asarray(names)[:, None] != np.asarray(others)
    if not 0 < len(pairs) < field.sum():
        raise InputError(
            f"pair table {name}: {len(pairs)} of {field.sum()} pairs of its genes in the screen "
            "are listed, so that there are none to compare. Fix: widen the screen in the config."
        )
    listed = np.stack([sources, targets], axis=1)
    return Truth(list(names), list(others), listed, pairs["sign"].to_numpy(), field)


def screen_scores(
    truth: Truth,
    scores: Mapping[tuple[str, str], np.ndarray],
    output_mean: np.ndarray,
    permutations: int,
    seed: int,
) -> pd.DataFrame:
    """Measure how well each score ranks the listed pairs.

    The null permutes the table's outputs among those of similar mean expression, so that each input
    keeps its number of pairs. A score that only knows which genes are abundant or often listed has
    no advantage over this null. All scores are tested against the same permutations.

    Parameters
    ----------
    scores
        Scores by context and name: (inputs, outputs) of the truth. NaN ranks lowest.
    output_mean
        (outputs,): mean expression.
    permutations, seed
        Number of permutations of the null, and seed of the null and of the resampling.

    Returns
    -------
    DataFrame
        context, score, n_inputs, n_outputs, n_pairs, prevalence, auroc, auprc (average precision),
        lift (auprc / prevalence), null_auroc_mean, null_low, null_high (95% range), p (one-sided,
        counting the observed table; Phipson and Smyth 2010), sign_agreement (for signed scores and
        tables with both signs: share of pairs whose score has their sign, averaged over the two
        signs; chance is 0.5), advantage (AUROC minus that of `REFERENCE`; missing without it);
        auroc and advantage each with *_low and *_high (95% interval, bootstrap over inputs, the
        same for all scores).
    """
    source, target = truth.listed.T
    positive = np.zeros(truth.field.shape, dtype=bool)
    positive[source, target] = True
    label = positive[truth.field]
    n = len(truth.inputs)
    weights = np.vstack([np.ones((1, n)), resampling(n, BOOTSTRAPS, seed)])

    def areas(score: np.ndarray) -> np.ndarray:
        return ranking(_lowest_unknown(score), positive, truth.field, weights)[0]

    known = {name: score for (_, name), score in scores.items() if name == REFERENCE}
    reference = areas(known[REFERENCE]) if known else np.full(len(weights), np.nan)
    moved = permuted_outputs(output_mean, permutations, seed)[:, target]
    rows = []
    for (context, name), score in scores.items():
        score = _lowest_unknown(score)
        drawn = areas(score)
        intervals = with_intervals({"auroc": drawn, "advantage": drawn - reference})
        ranks = np.full(truth.field.shape, np.nan)
        ranks[truth.field] = rankdata(score[truth.field])
        auroc = auroc_of_ranks(ranks[source, target], truth.field.sum())
        null = auroc_of_ranks(ranks[source, moved], truth.field.sum())
        finite = np.maximum(score[truth.field], np.finfo(np.float32).min)
        auprc = float(average_precision_score(label, finite))
        row = {
            "context": context,
            "score": name,
            "n_inputs": len(truth.inputs),
            "n_outputs": len(truth.outputs),
            "n_pairs": len(truth.listed),
            "prevalence": truth.prevalence,
            "auroc": float(auroc),
            "auprc": auprc,
            "lift": auprc / truth.prevalence,
            "null_auroc_mean": null.mean(),
            **dict(zip(("null_low", "null_high"), np.quantile(null, (0.025, 0.975)), strict=True)),
            "p": (1 + (null >= auroc).sum()) / (1 + permutations),
            "sign_agreement": sign_agreement(score[source, target], truth.sign),
        }
        rows.append(row | {name: own for name, own in intervals.items() if name != "auroc"})
    return pd.DataFrame(rows)


def _lowest_unknown(score: np.ndarray) -> np.ndarray:
    """Replace missing scores by -inf, so that they rank lowest."""
    return np.where(np.isnan(score), -np.inf, score)


def auroc_of_ranks(ranks: np.ndarray, entries: int) -> np.ndarray:
    """Area under the ROC curve from the positives' ranks among `entries` (last axis; 1: lowest).

    NaN ranks are ignored: a permutation has paired the gene with itself there.
    """
    positives = np.isfinite(ranks).sum(axis=-1)
    above = np.nansum(ranks, axis=-1) - positives * (positives + 1) / 2
    return above / (positives * (entries - positives))


def permuted_outputs(output_mean: np.ndarray, permutations: int, seed: int) -> np.ndarray:
    """Permute outputs among those of the same tenth of mean expression.

    Returns int64 (permutations, outputs): the output that replaces each one.
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(output_mean, kind="stable")
    moved = np.empty((permutations, len(order)), dtype=np.int64)
    for stratum in np.array_split(order, STRATA):
        moved[:, stratum] = rng.permuted(np.tile(stratum, (permutations, 1)), axis=1)
    return moved


def sign_agreement(score: np.ndarray, sign: np.ndarray) -> float:
    """Share of pairs whose score has their sign, averaged over signs.

    NaN if the pairs have a single sign, or if no score is negative.
    """
    if len(set(sign)) < 2 or (score >= 0).all():
        return np.nan
    return float(np.mean([(np.sign(score[sign == own]) == own).mean() for own in (-1, 1)]))


def scores_of(
    truth: Truth,
    screen: "AnnData",
    jacobian: Jacobian | None,
    correlations: Mapping[str, np.ndarray],
) -> dict[tuple[str, str], np.ndarray]:
    """Collect all scores of a truth's field by context and name, the model's scores first.

    Each context has `response` and `jacobian`, signed and as absolute values. The context
    `no model` has the given correlations (inputs, outputs), the outputs' mean expression, and its
    product with the inputs' mean expression.
    """
    rows = screen.obs_names.get_indexer(truth.inputs)
    columns = screen.var_names.get_indexer(truth.outputs)
    found = {}
    for context, responses in by_context(screen).items():
        found[context, "response"] = responses[np.ix_(rows, columns)]
    blocks = {}
    if jacobian:
        for name in jacobian.contexts:
            blocks[name] = jacobian.block(truth.outputs, truth.inputs, name).T
    if len(blocks) > 1:
        blocks = {MEAN: np.mean([*blocks.values()], axis=0), **blocks}
    found |= {(context, "jacobian"): block for context, block in blocks.items()}
    found |= {(context, f"abs_{name}"): np.abs(own) for (context, name), own in found.items()}
    found |= {(NO_MODEL, name): own for name, own in correlations.items()}
    source, target = screen.obs["mean"].to_numpy()[rows], screen.var["mean"].to_numpy()[columns]
    found[NO_MODEL, "output_mean"] = np.broadcast_to(target, truth.field.shape)
    found[NO_MODEL, "input_mean_x_output_mean"] = np.outer(source, target)
    return found
