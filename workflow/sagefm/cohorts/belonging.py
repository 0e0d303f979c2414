"""Check that a table of positions belongs to the section whose counts are read.

All slides have the same barcodes, so the positions of any section fit those of any other. Only the
set of spots in tissue differs.
"""

import anndata
import numpy as np
import pandas as pd

from sagefm.common.errors import InputError

MISSED = 0.05
"""Maximum share of spots outside tissue, and of tissue spots without counts, in matching files.

A raw matrix also has the spots outside tissue, and a filtered one may lack spots without counts."""

DEPTH = 0.5
"""Maximum counts outside tissue relative to those inside. Diffusion gives a tenth or less."""


def check_belongs(adata: anndata.AnnData, others: pd.DataFrame, path: object) -> None:
    """Check that the spots with counts are those in tissue according to the positions.

    Parameters
    ----------
    adata
        Counts (spots, genes), with `obs['in_tissue']` of the positions.
    others
        Rows of the table for spots that the counts lack, with `in_tissue` as text.
    path
        Path of the positions.

    Raises
    ------
    InputError
        If too many spots are outside tissue, and either many spots in tissue have no counts, or
        those outside have as many as those inside.
    """
    if "in_tissue" not in adata.obs or not len(adata):
        return
    inside = adata.obs["in_tissue"].to_numpy() == 1
    outside = (~inside).mean()
    flags = others["in_tissue"].astype(str).str.strip().str.lower()
    lacking = int(flags.isin(["1", "1.0", "true"]).sum())
    absent = lacking / max(lacking + inside.sum(), 1) if inside.any() else 1.0
    if outside > MISSED and (absent > MISSED or _is_deep(adata, ~inside)):
        raise InputError(
            f"{path}: belongs to another section: {outside:.0%} of the {adata.n_obs} spots with "
            f"counts lie outside its tissue, and {absent:.0%} of its tissue has no counts (all "
            "slides have the same barcodes). Fix: give the position file of this section."
        )


def _is_deep(adata: anndata.AnnData, outside: np.ndarray) -> bool:
    """Whether spots outside tissue have about as many counts as those inside."""
    depth = np.asarray(adata.X.sum(axis=1)).ravel()
    if outside.all():
        return True
    return bool(np.median(depth[outside]) > DEPTH * max(np.median(depth[~outside]), 1))
