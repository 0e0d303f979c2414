"""Principal components of sparse expression, without a dense matrix, the same at every run."""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, svds
from sklearn.utils.extmath import svd_flip


def principal_components(
    expression: sp.csr_matrix, components: int, seed: int
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

    Returns
    -------
    scores : float32 (spots, components), by falling variance
    loadings : float32 (components, genes), of unit length
    mean : float32 (genes,)
    """
    x = sp.csr_matrix(expression, dtype=np.float64)
    transposed, mean = x.T.tocsr(), np.asarray(x.mean(axis=0)).ravel()

    def forwards(v: np.ndarray) -> np.ndarray:
        return x @ v - mean @ v

    def backwards(v: np.ndarray) -> np.ndarray:
        return transposed @ v - np.multiply.outer(mean, v.sum(axis=0))

    centred = LinearOperator(
        x.shape, forwards, backwards, matmat=forwards, rmatmat=backwards, dtype=x.dtype
    )
    k = min(components, min(x.shape) - 1)
    left, values, right = svds(centred, k, solver="propack", rng=np.random.default_rng(seed))
    order = np.argsort(-values)
    left, right = svd_flip(left[:, order], right[order], u_based_decision=False)
    scores = left * values[order]
    return scores.astype(np.float32), right.astype(np.float32), mean.astype(np.float32)
