"""Genes that vary most within sections, on which several methods are fitted."""

import numpy as np
import pandas as pd
import scipy.sparse as sp


def variable_genes(expression: sp.csr_matrix, samples: np.ndarray, count: int) -> np.ndarray:
    """Choose highly variable genes, ranked within each sample so that sample means do not matter.

    Runs `scanpy.pp.highly_variable_genes` with flavour `seurat` and the sample as batch.

    Parameters
    ----------
    expression
        CSR (spots, genes), on a log scale.
    samples
        Sample of each spot.
    count
        Number of genes; if fewer vary, all of those are chosen.

    Returns
    -------
    bool (genes,), with at most `count` true. Genes that vary in no sample are never chosen.
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
    """Rank the genes of one sample, as scanpy does: columns highly_variable, dispersions_norm.

    Parameters
    ----------
    expression
        CSR (spots, genes) of the sample, on a log scale.
    count
        Number of genes to mark as highly variable.

    Returns
    -------
    DataFrame indexed by gene positions as text, because scanpy orders ties by name.
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
    # Not `highly_variable`, which scanpy pads with unselected genes to reach the count.
    chosen = table["highly_variable_nbatches"].astype(bool)
    return table[["dispersions_norm"]].assign(highly_variable=chosen)


def _names(count: int) -> pd.Index:
    return pd.RangeIndex(count).astype(str)
