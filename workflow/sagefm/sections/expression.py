"""Expression of a section: normalised counts."""

import numpy as np
import scipy.sparse as sp

from sagefm.common.errors import InputError

SCALED_TO = {"log1p": None, "log1p_cp10k": 10_000}
"""Each normalisation, and the counts that it scales a spot to; None if it does not."""

NORMALISATIONS = tuple(SCALED_TO)


def normalise(counts: sp.csr_matrix, how: str) -> sp.csr_matrix:
    """Normalised expression (float32) of raw counts (spots x genes).

    `log1p` is the paper's: log(1 + count), no library-size scaling. `log1p_cp10k` first scales each
    spot to 10,000 panel counts.

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
    """What `expm1` of a spot's normalised expression times gives its counts: float32 (spots,)."""
    if SCALED_TO[how] is None:
        return np.ones(counts.shape[0], dtype=np.float32)
    depth = np.asarray(counts.sum(axis=1), dtype=np.float32).ravel()
    return np.maximum(depth, 1) / np.float32(SCALED_TO[how])
