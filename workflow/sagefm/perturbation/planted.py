"""A positive control: counts in which some genes depend on a gene of the neighbours.

Real counts are kept, but for the inputs and outputs. Each input is confined to a niche: elsewhere
most of its counts are taken away at random (binomial thinning). Of each output a share of the
counts, the strength, is taken away at random and drawn anew from a Poisson distribution whose rate
is proportional to the input's mean count among the neighbours. The expected total of the output in
a section stays the same. At strength 0 the outputs are as measured; at 1 they follow the
neighbours' input alone.
"""

import numpy as np
import scipy.sparse as sp

NICHE, OUTSIDE = 0.4, 0.1
"""Share of a section's spots that is an input's niche, and share of the counts kept outside it."""


def draw_pairs(genes: int, pairs: int, rng: np.random.Generator) -> np.ndarray:
    """Inputs and outputs drawn at random, no gene twice: int64 (pairs, 2), columns."""
    return rng.permutation(genes)[: 2 * pairs].reshape(pairs, 2)


def plant_pairs(
    counts: sp.csr_matrix,
    coordinates: np.ndarray,
    others: sp.csr_matrix,
    pairs: np.ndarray,
    strength: float,
    rng: np.random.Generator,
) -> sp.csr_matrix:
    """Make the output of each pair depend on its input among the neighbours.

    Parameters
    ----------
    counts
        Raw counts of a section (spots x genes).
    coordinates
        (spots, 2). A niche is the `NICHE` of the spots nearest to one drawn at random.
    others
        (spots x spots): each row averages over a spot's neighbours, without the spot.
    pairs
        int64 (pairs, 2): columns of input and output; no gene twice.
    strength
        Share of an output's counts that depends on the input, 0 to 1. An output whose input has no
        count in the section is left as it is.
    rng
        Of niches, thinning and the counts drawn. Inputs are the same at every strength.

    Returns
    -------
    csr_matrix
        int32, of the same shape.
    """
    planted = counts.toarray().astype(np.int64)
    inputs, outputs = pairs.T
    for gene in inputs:
        middle = coordinates[rng.integers(len(coordinates))]
        distance = np.linalg.norm(coordinates - middle, axis=1)
        kept = np.where(distance <= np.quantile(distance, NICHE), 1, OUTSIDE)
        planted[:, gene] = rng.binomial(planted[:, gene], kept)
    for signal, gene in zip((others @ planted[:, inputs]).T, outputs, strict=True):
        if signal.sum() > 0:
            own = planted[:, gene]
            rate = strength * own.sum() * signal / signal.sum()
            planted[:, gene] = rng.binomial(own, 1 - strength) + rng.poisson(rate)
    return sp.csr_matrix(planted, dtype=np.int32)
