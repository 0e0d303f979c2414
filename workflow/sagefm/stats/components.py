"""Principal components of sparse expression, reproducible and without a dense matrix."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, svds

Product: TypeAlias = Callable[[np.ndarray], np.ndarray]


def principal_components(
    expression: sp.csr_matrix,
    components: int,
    seed: int,
    average: sp.csr_matrix | None = None,
    fill: tuple[np.ndarray, sp.csr_matrix] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute principal components by Lanczos bidiagonalisation (PROPACK), with implicit centring.

    scanpy and scikit-learn use ARPACK, which SciPy 1.17 restarts from numbers that no seed
    controls. Its last components therefore differ between runs.

    Parameters
    ----------
    expression
        (spots, genes).
    components
        Maximum number of components; never more than spots - 1 or genes - 1.
    average
        (spots, spots): if given, these averages of the spots are analysed, such as means over
        neighbourhoods. They are never formed, as they are far less sparse than expression.
    fill
        Result of `fill_unmeasured`, added to the expression of every spot of a group.

    Returns
    -------
    scores : float32 (spots, components), by decreasing variance
    loadings : float32 (components, genes), of unit length
    mean : float32 (genes,)
    """
    x = sp.csr_matrix(expression, dtype=np.float64)
    a = sp.identity(x.shape[0]) if average is None else sp.csr_matrix(average, dtype=np.float64)
    a, x_transposed, a_transposed = a.tocsr(), x.T.tocsr(), a.T.tocsr()

    def spots_of(v: np.ndarray) -> np.ndarray:
        return x @ v if fill is None else x @ v + (fill[1] @ v)[fill[0]]

    def genes_of(v: np.ndarray) -> np.ndarray:
        if fill is None:
            return x_transposed @ v
        members = sp.csr_matrix((np.ones(len(fill[0])), (fill[0], np.arange(len(fill[0])))))
        return x_transposed @ v + fill[1].T @ (members @ v)

    mean = genes_of(np.asarray(a.mean(axis=0)).ravel())

    def forwards(v: np.ndarray) -> np.ndarray:
        return a @ spots_of(v) - mean @ v

    def backwards(v: np.ndarray) -> np.ndarray:
        return genes_of(a_transposed @ v) - np.multiply.outer(mean, v.sum(axis=0))

    scores, loadings = _leading(x.shape, forwards, backwards, components, seed)
    return scores, loadings, mean.astype(np.float32)


def fill_unmeasured(
    expression: sp.csr_matrix, groups: np.ndarray, measured: np.ndarray
) -> tuple[np.ndarray, sp.csr_matrix]:
    """Return fill-in values of unmeasured genes per group of spots: the mean of the other groups.

    A gene that is 0 in some groups only because it was not measured would otherwise separate them.

    Parameters
    ----------
    expression
        (spots, genes).
    groups
        Group of each spot, such as its section: int (spots,).
    measured
        bool (groups, genes).

    Returns
    -------
    groups
        As given.
    fill : csr float64 (groups, genes)
        0 where the group, or no group, measured the gene.
    """
    sizes = np.bincount(groups, minlength=len(measured))
    spots = np.maximum(sizes @ measured, 1)
    means = np.asarray(expression.sum(axis=0, dtype=np.float64)).ravel() / spots
    return groups, sp.csr_matrix(np.where(measured, 0.0, means))


def dense_components(values: np.ndarray, components: int) -> np.ndarray:
    """Compute exact principal components of dense values, without a seed.

    Uses the eigenvectors of the products along the shorter side. For tables of this size,
    scikit-learn uses a randomised method. Its later components depend on the seed if variance falls
    slowly.

    Parameters
    ----------
    values
        (spots, features).
    components
        Maximum number of components; never more than features or spots - 1.

    Returns
    -------
    float32 (spots, components), by decreasing variance.
    """
    from scipy.linalg import eigh

    centred = values - values.mean(axis=0, dtype=np.float64)
    k = min(components, values.shape[0] - 1, values.shape[1])
    short = centred if centred.shape[1] <= centred.shape[0] else centred.T
    last = short.shape[1] - 1
    axes = eigh(short.T @ short, subset_by_index=[last - k + 1, last])[1][:, ::-1]
    if short is not centred:
        axes = centred.T @ axes
        axes /= np.maximum(np.linalg.norm(axes, axis=0), np.finfo(float).tiny)
    axes *= signs_of(axes)
    return (centred @ axes).astype(np.float32)


def signs_of(axes: np.ndarray) -> np.ndarray:
    """Return the signs that make the largest loading of each axis (features, components) positive.

    The direction of an axis is arbitrary; this is scikit-learn's convention.
    """
    return np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])


def components_within(
    expression: sp.csr_matrix,
    averages: Sequence[sp.csr_matrix],
    groups: np.ndarray,
    components: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Compute principal components of several averages of spots, joined and centred within groups.

    As in `principal_components`, no matrix less sparse than expression is formed.

    Parameters
    ----------
    expression
        (spots, genes).
    averages
        Each (spots, spots). Their products with expression, joined along genes, are analysed.
    groups
        Group of each spot, such as its section: int (spots,).
    components
        Maximum number of components; never more than spots - 1.

    Returns
    -------
    scores : float32 (spots, components), by decreasing variance
    loadings : float32 (components, averages, genes); of unit length over the last two axes
    """
    x = sp.csr_matrix(expression, dtype=np.float64)
    members = sp.csr_matrix((np.ones(len(groups)), (groups, np.arange(len(groups)))))
    shares = sp.diags(1 / np.maximum(members.sum(axis=1).A1, 1)) @ members
    several = [sp.csr_matrix(average, dtype=np.float64) for average in averages]
    x_transposed, transposed = x.T.tocsr(), [average.T.tocsr() for average in several]

    def centred(v: np.ndarray) -> np.ndarray:
        return v - members.T @ (shares @ v)

    def forwards(v: np.ndarray) -> np.ndarray:
        parts = np.split(v, len(several))
        return centred(sum(a @ (x @ part) for a, part in zip(several, parts, strict=True)))

    def backwards(v: np.ndarray) -> np.ndarray:
        own = centred(v)
        return np.concatenate([x_transposed @ (a @ own) for a in transposed])

    shape = (x.shape[0], len(several) * x.shape[1])
    scores, loadings = _leading(shape, forwards, backwards, components, seed)
    return scores, loadings.reshape(len(loadings), len(several), x.shape[1])


def _leading(
    shape: tuple[int, int], forwards: Product, backwards: Product, components: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and loadings of a matrix defined by its products with vectors."""
    matrix = LinearOperator(
        shape, forwards, backwards, matmat=forwards, rmatmat=backwards, dtype=np.float64
    )
    k = min(components, min(shape) - 1)
    left, values, right = svds(matrix, k, solver="propack", rng=np.random.default_rng(seed))
    order = np.argsort(-values)
    scores, right = left[:, order] * values[order], right[order]
    signs = signs_of(right.T)
    scores, right = scores * signs, right * signs[:, None]
    return scores.astype(np.float32), right.astype(np.float32)


def varimax(loadings: np.ndarray, rounds: int = 200, tolerance: float = 1e-7) -> np.ndarray:
    """Return the rotation after which each component has few large loadings (Kaiser 1958).

    Kaiser, The varimax criterion for analytic rotation in factor analysis, doi:10.1007/BF02289233;
    computed with a singular value decomposition per round.

    Parameters
    ----------
    loadings
        (components, features).

    Returns
    -------
    float64 (components, components), orthogonal: `rotation @ loadings` are the rotated loadings,
    each with the sign that makes its third moment positive.
    """
    wide = np.asarray(loadings, dtype=np.float64).T
    rotation, before = np.eye(wide.shape[1]), 0.0
    for _ in range(rounds):
        turned = wide @ rotation
        gradient = wide.T @ (turned**3 - turned * np.square(turned).mean(axis=0))
        left, values, right = np.linalg.svd(gradient)
        rotation = left @ right
        if values.sum() <= before * (1 + tolerance):
            break
        before = values.sum()
    skew = np.power(wide @ rotation, 3).sum(axis=0)
    return (rotation * np.where(skew < 0, -1, 1)).T
