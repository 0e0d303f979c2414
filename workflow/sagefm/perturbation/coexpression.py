"""Co-expression of a spot with its neighbours: the untrained baseline of perturbations.

It is the Pearson correlation, over spots, of one gene's mean among the neighbours with another gene
at the centre.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from sagefm.common.io import atomic
from sagefm.common.text import count
from sagefm.sections.section import Section, load_chunk, measured_genes_of

BATCH_SPOTS = 1024
"""Number of spots converted to dense at once."""

Rows = list[np.ndarray]
"""One array per section, with one value per gene."""


def neighbour_correlation(
    sections: Sequence[Section], normalisation: str, inputs: np.ndarray, outputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Correlate genes' means among the neighbours with genes at the centre.

    Sections are read one at a time. Spots without neighbours are excluded, and for each pair of
    genes the sections that did not measure both. Correlations are NaN where a gene does not vary.

    Parameters
    ----------
    sections
        Sections whose spots are correlated.
    normalisation
        Normalisation of the counts; see `expression.normalise`.
    inputs, outputs
        int64 columns of the panel: genes among the neighbours, and genes at the centre.

    Returns
    -------
    pooled : float32 (inputs, outputs), over all spots
    within : float32 (inputs, outputs), over all spots, of differences from the section's mean
    """
    within = np.zeros((len(inputs), len(outputs)), dtype=np.float32)
    # Sums of squares, means and whether genes are measured: for inputs and for outputs, one row
    # per section.
    squares: tuple[Rows, Rows] = ([], [])
    means: tuple[Rows, Rows] = ([], [])
    measured: tuple[Rows, Rows] = ([], [])
    sizes = []
    for section in sections:
        chunk = load_chunk([section], normalisation)
        spots = np.flatnonzero(np.diff(chunk.ego_indptr) > 1)
        neighbours = replace(chunk, expression=chunk.expression[:, inputs]).neighbour_mean()
        sides = neighbours[spots], chunk.expression[spots][:, outputs]
        there = measured_genes_of(section.counts_path)
        sizes.append(len(spots))
        for number, (side, genes) in enumerate(zip(sides, (inputs, outputs), strict=True)):
            total = np.asarray(side.sum(axis=0, dtype=np.float64)).ravel()
            means[number].append(total / max(len(spots), 1))
            squares[number].append(np.zeros(len(genes)))
            measured[number].append(there[genes].astype(float))
        # Subtract the section's mean, so that single precision suffices for the products.
        shift = [mean[-1].astype(np.float32) for mean in means]
        for start in range(0, len(spots), BATCH_SPOTS):
            batch = [side[start : start + BATCH_SPOTS].toarray() for side in sides]
            x, y = (values - mean for values, mean in zip(batch, shift, strict=True))
            within += x.T @ y  # unmeasured genes are 0 everywhere and add nothing
            for rows, values in zip(squares, (x, y), strict=True):
                rows[-1] += np.einsum("sg,sg->g", values, values, dtype=np.float64)
    sums = _PairSums(np.array(sizes, dtype=float)[:, None], *(map(np.stack, measured)))
    own, between = sums.squares(*map(np.stack, squares)), sums.between(*map(np.stack, means))
    floors = [1e-10 * (a + b) for a, b in zip(own, sums.means_squared(means), strict=True)]
    products, *added = between
    pooled = within + products.astype(np.float32)
    joint = [a + b for a, b in zip(own, added, strict=True)]
    return _correlation(pooled, joint, floors), _correlation(within, own, floors)


@dataclass(frozen=True)
class _PairSums:
    """Sums over the sections that measured both genes of a pair: float64 (inputs, outputs).

    `spots` (sections, 1) are numbers of spots. `x` and `y` (sections, genes) are 1 where an input,
    or an output, was measured and 0 elsewhere.
    """

    spots: np.ndarray
    x: np.ndarray
    y: np.ndarray

    def squares(self, of_x: np.ndarray, of_y: np.ndarray) -> list[np.ndarray]:
        """Sum values given per section and gene, for inputs and for outputs."""
        return [(self.x * of_x).T @ self.y, self.x.T @ (self.y * of_y)]

    def means_squared(self, means: tuple[Rows, Rows]) -> list[np.ndarray]:
        """Sum the number of spots times squared means, for inputs and for outputs."""
        return self.squares(*(self.spots * np.square(own) for own in means))

    def between(self, of_x: np.ndarray, of_y: np.ndarray) -> list[np.ndarray]:
        """Contribution of differences between sections' means to the products and both squares."""
        # Centre first, because differences of large sums would lose digits.
        a, b = (
            there * (own - (weights * own).sum(axis=0) / np.maximum(weights.sum(axis=0), 1))
            for there, own in ((self.x, of_x), (self.y, of_y))
            for weights in [self.spots * there]
        )
        spots = np.maximum((self.spots * self.x).T @ self.y, 1)
        total_a, total_b = self.squares(self.spots * a, self.spots * b)
        square_a, square_b = self.squares(self.spots * a**2, self.spots * b**2)
        return [
            (self.spots * a).T @ b - total_a * total_b / spots,
            square_a - total_a**2 / spots,
            square_b - total_b**2 / spots,
        ]


def words_of_unmeasured(sections: Sequence[Section], pairs: np.ndarray) -> str:
    """Say how many pairs, int64 (pairs, 2) columns, lack sections; empty if none does."""
    there = np.stack([measured_genes_of(section.counts_path) for section in sections])
    both = there[:, pairs[:, 0]] & there[:, pairs[:, 1]]
    lacking = (~both).sum(axis=0)
    if not lacking.any():
        return ""
    return (
        f"{(lacking > 0).sum():,} of {count(len(pairs), 'pair')} have a gene that some of the "
        f"{count(len(sections), 'section')} did not measure; these sections (up to "
        f"{lacking.max()}) are left out of the pair's co-expression. Pairs that no section "
        f"measured, and that have none: {(lacking == len(sections)).sum():,}"
    )


@dataclass(frozen=True)
class Coexpression:
    """Correlations read from a file: `pooled` and `within`, float32 (inputs, outputs)."""

    inputs: list[str]
    outputs: list[str]
    pooled: np.ndarray
    within: np.ndarray

    def of(self, inputs: Sequence[str], outputs: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Select `pooled` and `within` for the given inputs and outputs, in their order."""
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
    """Write the correlations of `neighbour_correlation` and gene names, as npz of plain arrays."""
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
    """Divide products by the roots of both sides' squares; NaN where these are rounding error."""
    for square, low in zip(squares, floor, strict=True):
        products /= np.sqrt(np.where(square > low, square, np.nan)).astype(np.float32)
    return np.clip(products, -1, 1, out=products)
