"""Positive control: counts in which some genes depend on another gene in the neighbours.

Counts are real except for those of the inputs and outputs. Each input is confined to a niche: most
of its counts elsewhere are removed at random (binomial thinning). For each output, a share of the
counts (the strength) is removed at random. It is replaced by Poisson counts whose rate is
proportional to the input's mean count among the neighbours. The expected total of the output in a
section stays the same. At strength 0 the outputs are as measured. At strength 1 they depend only on
the neighbours' input.
"""

import numpy as np
import scipy.sparse as sp

NICHE, OUTSIDE = 0.4, 0.1
"""Share of a section's spots in an input's niche, and share of its counts kept outside."""


def draw_pairs(genes: int, pairs: int, rng: np.random.Generator) -> np.ndarray:
    """Draw inputs and outputs at random, no gene twice: int64 (pairs, 2), columns."""
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
        (spots, 2). A niche is the share `NICHE` of the spots that is nearest to a random spot.
    others
        (spots x spots): each row averages over a spot's neighbours, without the spot.
    pairs
        int64 (pairs, 2): columns of input and output; no gene twice.
    strength
        Share of an output's counts that depends on the input, 0 to 1. Outputs whose input has no
        counts in the section are not changed.
    rng
        Generator for niches, thinning and the drawn counts. Inputs are the same at every strength.

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
