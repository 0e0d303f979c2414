"""Normalisation of a section's counts."""

import numpy as np
import scipy.sparse as sp

from sagefm.common.errors import InputError

SCALED_TO = {"log1p": None, "log1p_cp10k": 10_000}
"""Number of counts to which each normalisation scales a spot; None if it does not scale."""

NORMALISATIONS = tuple(SCALED_TO)


def normalise(counts: sp.csr_matrix, how: str) -> sp.csr_matrix:
    """Normalise raw counts (spots x genes) to float32 expression.

    `log1p` is the paper's: log(1 + count), without library-size scaling. `log1p_cp10k` first scales
    each spot to 10,000 panel counts.

    Raises
    ------
    InputError
        For an unknown normalisation.
    """
    if how not in NORMALISATIONS:
        raise InputError(f"normalisation `{how}` is unknown. Fix: use one of {NORMALISATIONS}.")
    values = counts.data.astype(np.float32)
    values *= np.repeat(1 / count_scale(counts, how), np.diff(counts.indptr))
    return sp.csr_matrix((np.log1p(values), counts.indices, counts.indptr), shape=counts.shape)


def count_scale(counts: sp.csr_matrix, how: str) -> np.ndarray:
    """Return the factor from `expm1` of normalised expression to counts: float32 (spots,)."""
    if SCALED_TO[how] is None:
        return np.ones(counts.shape[0], dtype=np.float32)
    depth = np.asarray(counts.sum(axis=1), dtype=np.float32).ravel()
    return np.maximum(depth, 1) / np.float32(SCALED_TO[how])
