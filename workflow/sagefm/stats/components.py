"""Principal components of sparse expression, without a dense matrix, the same at every run."""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, svds


def principal_components(
    expression: sp.csr_matrix,
    components: int,
    seed: int,
    average: sp.csr_matrix | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Principal components by Lanczos bidiagonalisation (PROPACK), centred implicitly.

    scanpy and scikit-learn take ARPACK for this, which SciPy 1.17 restarts from numbers that no
    seed reaches: its last components differ from run to run.

    Parameters
    ----------
    expression
        (spots, genes).
    components
        At most; there are never more than one less than spots or genes.
    average
        (spots, spots): if given, what is analysed are these averages of the spots, such as means
        over neighbourhoods. They are never formed, being far less sparse than expression.

    Returns
    -------
    scores : float32 (spots, components), by falling variance
    loadings : float32 (components, genes), of unit length
    mean : float32 (genes,)
    """
    x = sp.csr_matrix(expression, dtype=np.float64)
    a = sp.identity(x.shape[0]) if average is None else sp.csr_matrix(average, dtype=np.float64)
    a, x_transposed, a_transposed = a.tocsr(), x.T.tocsr(), a.T.tocsr()
    mean = x_transposed @ np.asarray(a.mean(axis=0)).ravel()

    def forwards(v: np.ndarray) -> np.ndarray:
        return a @ (x @ v) - mean @ v

    def backwards(v: np.ndarray) -> np.ndarray:
        return x_transposed @ (a_transposed @ v) - np.multiply.outer(mean, v.sum(axis=0))

    centred = LinearOperator(
        x.shape, forwards, backwards, matmat=forwards, rmatmat=backwards, dtype=x.dtype
    )
    k = min(components, min(x.shape) - 1)
    left, values, right = svds(centred, k, solver="propack", rng=np.random.default_rng(seed))
    order = np.argsort(-values)
    scores, right = left[:, order] * values[order], right[order]
    # An axis has no direction: its largest loading is positive, as scikit-learn has it.
    signs = np.sign(right[np.arange(k), np.abs(right).argmax(axis=1)])
    scores, right = scores * signs, right * signs[:, None]
    return scores.astype(np.float32), right.astype(np.float32), mean.astype(np.float32)
