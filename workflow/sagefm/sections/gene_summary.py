"""Statistics of each gene over the spots of some sections."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from sagefm.sections.cohort import Cohort
from sagefm.sections.expression import normalise
from sagefm.sections.section import Section


def gene_summary(sections: Iterable[sp.csr_matrix], how: str) -> pd.DataFrame:
    """Normalised expression of each gene over all spots of some sections, taken one at a time.

    Parameters
    ----------
    sections
        Raw counts (spots x genes).

    Returns
    -------
    DataFrame
        A row a gene: low, high, mean, and detected (share of spots with a count); float64.
    """
    low, high = np.array(np.inf), np.array(-np.inf)
    total, detected, spots = np.array(0.0), np.array(0), 0
    for counts in sections:
        values = normalise(counts, how)
        low = np.minimum(low, values.min(axis=0).toarray().ravel(), dtype=np.float64)
        high = np.maximum(high, values.max(axis=0).toarray().ravel(), dtype=np.float64)
        total = total + np.asarray(values.sum(axis=0, dtype=np.float64)).ravel()
        detected = detected + np.asarray((counts > 0).sum(axis=0)).ravel()
        spots += counts.shape[0]
    return pd.DataFrame(
        {"low": low, "high": high, "mean": total / spots, "detected": detected / spots}
    )


def gene_detection(samples: Sequence[str | Path]) -> pd.DataFrame:
    """How often each gene is detected in a cohort, and how much; one sample in memory at a time.

    Parameters
    ----------
    samples
        Harmonised samples (h5ad), all on the same panel.

    Returns
    -------
    DataFrame
        gene (the panel's order), detected: share of all spots with a count, mean: mean
        log(1 + count) over all spots; float64.
    """
    cohort = Cohort(tuple(map(Path, samples)))
    found = gene_summary((section.X for section in cohort.sections()), "log1p")
    return found[["detected", "mean"]].assign(gene=cohort.panel())[["gene", "detected", "mean"]]


def levels_of(
    sections: Sequence[Section], normalisation: str, genes: Iterable[int], number: int
) -> np.ndarray:
    """Evenly spaced levels from a gene's least to its greatest expression over some sections.

    Returns
    -------
    np.ndarray
        float32 (len(genes), number), normalised expression.
    """
    cohort = Cohort(tuple(section.counts_path for section in sections))
    found = gene_summary((section.X for section in cohort.sections()), normalisation)
    low, high = found.loc[list(genes), ["low", "high"]].to_numpy().T
    return np.linspace(low, high, number, axis=1, dtype=np.float32)


def gene_levels(sections: Sequence[Section], normalisation: str) -> pd.DataFrame:
    """Expression of each gene of the panel over all spots, read section by section.

    Returns
    -------
    DataFrame
        Index: symbols. low, high, mean (float32, normalised expression), detected (float32, share
        of spots with a count).
    """
    cohort = Cohort(tuple(section.counts_path for section in sections))
    found = gene_summary((section.X for section in cohort.sections()), normalisation)
    return found.set_index(cohort.panel()).astype(np.float32)
