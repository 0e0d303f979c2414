"""Variable genes and principal components of sections that are read one at a time.

For cohorts that do not fit into memory. They match `variable_genes` and `components`, which hold
all spots, but need memory only for one section and for genes x genes.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
import scipy.sparse as sp

from sagefm.stats.components import signs_of
from sagefm.stats.variable_genes import variable_within

Sections = Callable[[], Iterable[sp.csr_matrix]]
"""Function that rereads all sections' matrices (spots, genes), in the same order each time."""


def streamed_variable_genes(sections: Sections, count: int) -> np.ndarray:
    """Choose the genes that `variable_genes` would choose with sections as samples.

    Parameters
    ----------
    sections
        CSR (spots, genes), on a log scale; read twice.
    count
        Number of genes; if fewer vary, all of those are chosen.

    Returns
    -------
    bool (genes,).
    """
    spots, sums, squares = 0, np.zeros(1), np.zeros(1)
    for section in sections():
        spots += section.shape[0]
        sums = sums + np.asarray(section.sum(axis=0, dtype=np.float64)).ravel()
        squares = squares + np.asarray(section.power(2).sum(axis=0, dtype=np.float64)).ravel()
    varying = np.flatnonzero(squares / spots - np.square(sums / spots) > 0)
    chosen = np.zeros(len(sums), dtype=bool)
    if len(varying) > count:
        tables = [variable_within(section[:, varying], count) for section in sections()]
        varying = varying[_best(pd.concat(tables), len(varying), count)]
    chosen[varying] = True
    return chosen


def _best(tables: pd.DataFrame, genes: int, count: int) -> np.ndarray:
    """Choose genes selected in most sections, ties by mean dispersion, as scanpy does."""
    tables["highly_variable"] = tables["highly_variable"].astype(int)
    combined = tables.groupby(tables.index).agg(
        {"dispersions_norm": "mean", "highly_variable": "sum"}
    )
    combined = combined.sort_values(
        ["highly_variable", "dispersions_norm"], ascending=False, na_position="last"
    )
    best = np.zeros(genes, dtype=bool)
    best[combined.index[:count].astype(int)] = True
    return best


def streamed_components(sections: Sections, components: int) -> np.ndarray:
    """Compute principal components from the eigenvectors of the genes' covariance.

    Exact, like `principal_components`, up to rounding. Scores agree to within 1e-4 of the first
    one's standard deviation, unless two components have the same variance.

    Parameters
    ----------
    sections
        CSR (spots, genes); read twice.
    components
        Maximum number of components; never more than spots - 1 or genes - 1.

    Returns
    -------
    float32 (spots, components), by decreasing variance.
    """
    from scipy.linalg import eigh

    spots, sums, products = 0, np.zeros(1), np.zeros(1)
    for block in _dense(sections):
        spots += len(block)
        sums = sums + block.sum(axis=0)
        products = products + block.T @ block
    mean = sums / spots
    covariance = products - spots * np.outer(mean, mean)
    last = len(mean) - 1
    k = min(components, spots - 1, last)
    axes = eigh(covariance, subset_by_index=[last - k + 1, last])[1][:, ::-1]
    axes = axes * signs_of(axes)
    scores = [((block - mean) @ axes).astype(np.float32) for block in _dense(sections)]
    return np.concatenate(scores)


def _dense(sections: Sections) -> Iterator[np.ndarray]:
    for section in sections():
        yield section.astype(np.float64).toarray()
