"""Labels derived from expression: the gene set with the highest score at a spot."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sagefm.annotation.terms import UNASSIGNED
from sagefm.common.errors import InputError
from sagefm.sections.cohort import Cohort
from sagefm.sections.expression import normalise

CONTROLS = 50
"""Number of control genes drawn from each abundance bin; scanpy's default."""


def found_genes(cohort: Cohort, sets: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """List which genes can be scored: genes of the panel detected in some spot of the cohort.

    Returns
    -------
    DataFrame
        Columns set, gene, in_panel, found.

    Raises
    ------
    InputError
        If no gene of a set is found.
    """
    panel = cohort.panel()
    sums = [np.asarray(counts.sum(axis=0)).ravel() for counts in cohort.counts_by_section()]
    seen = set(panel[np.logical_or.reduce([own > 0 for own in sums])])
    rows = [(name, gene, gene in panel, gene in seen) for name in sets for gene in sets[name]]
    table = pd.DataFrame(rows, columns=["set", "gene", "in_panel", "found"])
    for name, own in table.groupby("set"):
        if not own["found"].any():
            raise InputError(
                f"gene set `{name}`: none of its {len(own)} genes is in the panel and detected in "
                "this cohort. Fix: use symbols of the panel, or leave the set out."
            )
    return table


def module_scores(cohort: Cohort, genes: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Score each gene set at each spot, sample by sample (scanpy.tl.score_genes).

    A score is the mean log1p expression (at 10,000 counts per spot) of the set's genes minus that
    of control genes of similar abundance (Satija et al. 2015). From each of 25 abundance bins with
    a gene of the set, `CONTROLS` control genes are drawn with the seed. Control genes differ
    between samples and are not withheld from the representations.

    Parameters
    ----------
    genes
        Result of `found_genes`.

    Returns
    -------
    DataFrame
        float64 (spots, sets), with numbered rows in the order of the cohort's samples.
    """
    from anndata import AnnData
    from scanpy.tools import score_genes

    sets = genes[genes["found"]].groupby("set")["gene"].agg(list)
    tables = []
    for section in cohort.sections():
        adata = AnnData(
            normalise(section.X, "log1p_cp10k"), var=pd.DataFrame(index=section.var_names)
        )
        scores = {}
        for name, own in sets.items():
            score_genes(
                adata, own, ctrl_size=CONTROLS, n_bins=25, score_name="score", random_state=seed
            )
            scores[name] = adata.obs["score"].to_numpy(dtype=float)
        tables.append(pd.DataFrame(scores))
    return pd.concat(tables, ignore_index=True)


def highest_set(scores: pd.DataFrame, margin: float) -> pd.DataFrame:
    """Label each spot with its highest-scoring set, or `UNASSIGNED` if the lead is too small.

    Returns
    -------
    DataFrame
        Columns label and margin (highest minus second highest score), with the rows of `scores`.
    """
    values = scores.to_numpy()
    ranked = np.sort(values, axis=1)
    lead = ranked[:, -1] - ranked[:, -2]
    best = scores.columns.to_numpy(dtype=object)[values.argmax(axis=1)]
    return pd.DataFrame(
        {"label": np.where(lead < margin, UNASSIGNED, best), "margin": lead}, index=scores.index
    )
