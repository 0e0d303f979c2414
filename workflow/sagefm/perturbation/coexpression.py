"""Co-expression of a spot with its neighbours: what a perturbation must say more than.

No training enters: the Pearson correlation, over spots, of one gene's mean among the neighbours
with another gene at the centre.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from sagefm.common.io import atomic
from sagefm.sections.section import Section, load_chunk

BATCH_SPOTS = 1024
"""Spots made dense at once."""


def neighbour_correlation(
    sections: Sequence[Section], normalisation: str, inputs: np.ndarray, outputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Correlation of genes' means among the neighbours with genes at the centre.

    Sections are read one at a time; spots without neighbours are left out. Both are NaN where a
    side does not vary.

    Parameters
    ----------
    sections
        Over whose spots the correlation is.
    normalisation
        Of the counts; see `expression.normalise`.
    inputs, outputs
        int64 columns of the panel: genes among the neighbours, genes at the centre.

    Returns
    -------
    pooled : float32 (inputs, outputs), over all spots
    within : float32 (inputs, outputs), over all spots, of the difference to the section's mean
    """
    within = np.zeros((len(inputs), len(outputs)), dtype=np.float32)
    squares = [np.zeros(len(inputs)), np.zeros(len(outputs))]
    means: tuple[list, list] = ([], [])
    sizes = []
    for section in sections:
        chunk = load_chunk([section], normalisation)
        spots = np.flatnonzero(np.diff(chunk.ego_indptr) > 1)
        neighbours = replace(chunk, expression=chunk.expression[:, inputs]).neighbour_mean()
        sides = neighbours[spots], chunk.expression[spots][:, outputs]
        sizes.append(len(spots))
        for mean, side in zip(means, sides, strict=True):
            total = np.asarray(side.sum(axis=0, dtype=np.float64)).ravel()
            mean.append(total / max(len(spots), 1))
        # Differences to the section's mean, so that single precision suffices for the products.
        shift = [mean[-1].astype(np.float32) for mean in means]
        for start in range(0, len(spots), BATCH_SPOTS):
            batch = [side[start : start + BATCH_SPOTS].toarray() for side in sides]
            x, y = (values - mean for values, mean in zip(batch, shift, strict=True))
            within += x.T @ y
            for total, values in zip(squares, (x, y), strict=True):
                total += np.einsum("sg,sg->g", values, values, dtype=np.float64)
    # What differences between the sections' means add to the products and squares.
    weights = np.array(sizes, dtype=float)[:, None]
    between, joint, floors = [], [], []
    for own, inside in zip(map(np.stack, means), squares, strict=True):
        overall = (weights * own).sum(axis=0) / max(weights.sum(), 1)
        between.append(np.sqrt(weights) * (own - overall))
        joint.append(inside + np.square(between[-1]).sum(axis=0))
        floors.append(1e-10 * (inside + (weights * own**2).sum(axis=0)))
    pooled = within + (between[0].T @ between[1]).astype(np.float32)
    return _correlation(pooled, joint, floors), _correlation(within, squares, floors)


@dataclass(frozen=True)
class Coexpression:
    """Correlations read from a file: `pooled` and `within`, float32 (inputs, outputs)."""

    inputs: list[str]
    outputs: list[str]
    pooled: np.ndarray
    within: np.ndarray

    def of(self, inputs: Sequence[str], outputs: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """`pooled` and `within` of some inputs by some outputs, in the order given."""
        at = np.ix_(
            pd.Index(self.inputs).get_indexer(inputs), pd.Index(self.outputs).get_indexer(outputs)
        )
        return self.pooled[at], self.within[at]


def write_coexpression(
    path: str | Path,
    inputs: np.ndarray,
    outputs: np.ndarray,
    pooled: np.ndarray,
    within: np.ndarray,
) -> None:
    """Write what `neighbour_correlation` returns, with the genes' names, as npz of plain arrays."""
    with atomic(path) as temporary:
        np.savez_compressed(
            temporary,
            inputs=np.array(inputs, dtype=np.str_),
            outputs=np.array(outputs, dtype=np.str_),
            pooled=pooled,
            within=within,
        )


def read_coexpression(path: str | Path) -> Coexpression:
    """Read correlations written by `write_coexpression`."""
    with np.load(path, allow_pickle=False) as file:
        names = {side: file[side].tolist() for side in ("inputs", "outputs")}
        return Coexpression(**names, pooled=file["pooled"], within=file["within"])


def _correlation(
    products: np.ndarray, squares: Sequence[np.ndarray], floor: Sequence[np.ndarray]
) -> np.ndarray:
    """Products over the roots of both sides' squares; NaN where those are rounding alone."""
    scales = [
        np.sqrt(np.where(square > low, square, np.nan)).astype(np.float32)
        for square, low in zip(squares, floor, strict=True)
    ]
    products /= scales[0][:, None]
    products /= scales[1]
    return np.clip(products, -1, 1, out=products)
