"""Raw counts: what is accepted as counts, and the form in which they are stored."""

import numpy as np
import scipy.sparse as sp

from sagefm.common.errors import InputError


def raw_counts(matrix: object, name: str, fix: str) -> sp.csr_matrix:
    """A matrix of counts as csr int32, indices sorted, without explicit zeros.

    Parameters
    ----------
    matrix
        Dense or sparse (spots, genes), or None.
    name, fix
        What the sentence of an error calls the matrix, and its remedy.

    Raises
    ------
    InputError
        If a value is not a count.
    """
    if isinstance(matrix, np.ndarray) and matrix.dtype == np.float16:  # scipy has no such matrix
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
"""Share of spots from which on they are not of raw counts; of the bundled sections none has any."""


def share_without_ones(counts: sp.csr_matrix) -> float:
    """Share of the spots with counts whose least count is above 1, that of most genes of a spot.

    Counts that were scaled to a number of counts a spot, and rounded, have 2 or more in its place.
    """
    filled = np.flatnonzero(np.diff(counts.indptr))
    if not len(filled):
        return 0.0
    return float(np.mean(np.minimum.reduceat(counts.data, counts.indptr[filled]) > 1))
