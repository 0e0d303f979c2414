"""Raw counts: which matrices are accepted, and how they are stored."""

import numpy as np
import scipy.sparse as sp

from sagefm.common.errors import InputError


def raw_counts(matrix: object, name: str, fix: str) -> sp.csr_matrix:
    """Convert a matrix of counts to csr int32, with sorted indices and no explicit zeros.

    Parameters
    ----------
    matrix
        Dense or sparse (spots, genes), or None.
    name, fix
        Name of the matrix in the error message, and the fix that it recommends.

    Raises
    ------
    InputError
        If a value is not a count.
    """
    if isinstance(matrix, np.ndarray) and matrix.dtype == np.float16:  # scipy has no sparse float16
        matrix = matrix.astype(np.float32)
    counts = sp.csr_matrix((0, 0)) if matrix is None else sp.csr_matrix(matrix)
    what = None
    if matrix is None or counts.dtype.kind not in "iuf":
        what = "holds no numbers"
    elif not np.isfinite(counts.data).all():
        what = "holds NaN or infinite values"
    elif (counts.data < 0).any():
        what = "holds negative values"
    elif np.mod(counts.data, 1).any():
        what = "holds values that are not integers"
    elif (counts.data > np.iinfo(np.int32).max).any():
        what = "holds counts too large for 32 bits"
    if what:
        raise InputError(f"{name} {what}. {fix}")
    counts = counts.astype(np.int32)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    return counts


WITHOUT_ONES = 0.05
"""Counts are not raw if at least this share of spots has no 1. Bundled sections have no such
spot."""


def share_without_ones(counts: sp.csr_matrix) -> float:
    """Return the share of non-empty spots whose smallest count is above 1.

    In raw counts, most genes of a spot have a count of 1. Counts that were scaled to a fixed total
    and rounded have 2 or more instead.
    """
    filled = np.flatnonzero(np.diff(counts.indptr))
    if not len(filled):
        return 0.0
    return float(np.mean(np.minimum.reduceat(counts.data, counts.indptr[filled]) > 1))
