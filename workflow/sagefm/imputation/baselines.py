"""Predictions of missing genes that use no network."""

import numpy as np


def depth_scaled_mean(
    visible: np.ndarray, seen: np.ndarray, gene_mean: np.ndarray, scaled: bool
) -> np.ndarray:
    """Scale the training means of genes by the level of each spot's visible genes.

    The level is the sum of a spot's visible expression over the sum of the same genes' training
    means. It follows the spot's depth and uses no counts of missing genes. Each spot has its own
    level, not its section's, which is the stronger baseline.

    Parameters
    ----------
    visible
        float32 (spots, genes): normalised expression, 0 where a gene is missing.
    seen
        bool (genes,) or (spots, genes): genes that are measured and not missing.
    gene_mean
        float64 (genes,): mean normalised expression over the training samples.
    scaled
        Whether the visible counts were scaled to a total. That total is then reduced to these
        genes' share of the training means. Otherwise the level would rise with the number of
        missing genes.

    Returns
    -------
    ndarray
        float64 (spots, genes), normalised expression.
    """
    if scaled:
        rate = np.expm1(gene_mean)
        share = (rate * seen).sum(axis=-1, keepdims=True) / rate.sum()
        visible = np.log1p(np.expm1(visible) * share)
    usual = (gene_mean * seen).sum(axis=-1)
    level = visible.sum(axis=1, dtype=np.float64) / np.maximum(usual, 1e-12)
    return level[:, None] * gene_mean
