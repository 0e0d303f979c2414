"""The genes that vary most within sections: what several methods are fitted on."""

import numpy as np
import pandas as pd
import scipy.sparse as sp


def variable_genes(expression: sp.csr_matrix, samples: np.ndarray, count: int) -> np.ndarray:
    """Highly variable genes, ranked within each sample, so that no sample's mean picks them.

    `scanpy.pp.highly_variable_genes` with flavour `seurat` and the sample as batch.

    Parameters
    ----------
    expression
        csr (spots, genes), on the scale of logarithms.
    samples
        The sample of each spot.
    count
        Genes wanted; all are taken if there are no more.

    Returns
    -------
    bool (genes,), at most `count` of them true; none is true that varies in no sample.
    """
    from anndata import AnnData
    from scanpy.pp import highly_variable_genes

    spread = np.asarray(expression.power(2).mean(axis=0) - np.square(expression.mean(axis=0)))
    varying = np.flatnonzero(spread.ravel() > 0)
    chosen = np.zeros(expression.shape[1], dtype=bool)
    if len(varying) > count:
        adata = AnnData(
            expression[:, varying],
            obs=pd.DataFrame({"sample": pd.Categorical(samples)}, index=_names(len(samples))),
        )
        table = highly_variable_genes(
            adata, flavor="seurat", batch_key="sample", n_top_genes=count, inplace=False
        )
        varying = varying[table["highly_variable"].to_numpy()]
    chosen[varying] = True
    return chosen


def variable_within(expression: sp.csr_matrix, count: int) -> pd.DataFrame:
    """What one sample says of its genes: columns highly_variable, dispersions_norm, as scanpy has.

    Parameters
    ----------
    expression
        csr (spots, genes) of the sample, on the scale of logarithms.
    count
        Genes wanted.

    Returns
    -------
    DataFrame indexed by the genes' positions, as text: scanpy orders ties by name.
    """
    from anndata import AnnData
    from scanpy.pp import highly_variable_genes

    spots = pd.DataFrame(
        {"sample": pd.Categorical(np.zeros(expression.shape[0]))}, index=_names(expression.shape[0])
    )
    table = highly_variable_genes(
        AnnData(expression, obs=spots),
        flavor="seurat",
        batch_key="sample",
        n_top_genes=count,
        inplace=False,
    )
    # Not `highly_variable`, which is made up to the count by genes that were not chosen.
    chosen = table["highly_variable_nbatches"].astype(bool)
    return table[["dispersions_norm"]].assign(highly_variable=chosen)


def _names(count: int) -> pd.Index:
    return pd.RangeIndex(count).astype(str)
