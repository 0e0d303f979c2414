"""Labels derived from expression: the gene set that scores highest at a spot."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sagefm.annotation.terms import UNASSIGNED
from sagefm.common.errors import InputError
from sagefm.sections.cohort import Cohort
from sagefm.sections.expression import normalise

CONTROLS = 50
"""Control genes drawn from a bin of abundance; scanpy's default."""


def found_genes(cohort: Cohort, sets: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Which genes can be scored: those of the panel that some spot of the cohort shows.

    Returns
    -------
    DataFrame
        set, gene, in_panel, found.

    Raises
    ------
    InputError
        If of a set no gene is found.
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
    """Score of each gene set at each spot, sample by sample (scanpy.tl.score_genes).

    A score is the mean log1p expression (10,000 counts a spot) of the set's genes less that of
    control genes of like abundance (Satija et al. 2015): `CONTROLS`, drawn with the seed, from each
    of 25 bins of abundance that holds a gene of the set. Control genes differ from sample to sample
    and are not withheld from the representations.

    Parameters
    ----------
    genes
        Of `found_genes`.

    Returns
    -------
    DataFrame
        float64 (spots, sets), rows in the order of the cohort's samples, numbered.
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
    """Label of each spot: the set that scores highest, `UNASSIGNED` if by less than a margin.

    Returns
    -------
    DataFrame
        label and margin (highest less second highest score), rows as in `scores`.
    """
    values = scores.to_numpy()
    ranked = np.sort(values, axis=1)
    lead = ranked[:, -1] - ranked[:, -2]
    best = scores.columns.to_numpy(dtype=object)[values.argmax(axis=1)]
    return pd.DataFrame(
        {"label": np.where(lead < margin, UNASSIGNED, best), "margin": lead}, index=scores.index
    )
