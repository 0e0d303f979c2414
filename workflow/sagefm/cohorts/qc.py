"""Quality control of spots, and a table of a cohort's sections."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pandas as pd

from sagefm.cohorts.gene_names import mitochondrial
from sagefm.cohorts.panel import source_symbols
from sagefm.common.elements import facts_in, frame_in
from sagefm.common.errors import InputError

if TYPE_CHECKING:  # takes a second to import, so only where it is needed
    from anndata import AnnData

# Facts from the sheet, a sample's provenance and the labels; empty if absent.
COLUMNS = (
    "cohort",
    "sample",
    "patient",
    "organ",
    "technology",
    "spots_source",
    "spots_kept",
    "duplicate_positions",
    "genes_source",
    "genes_panel",
    "genes_missing",
    "genes_renamed",
    "genes_duplicated",
    "labels_matched",
    "notes",
)


MEASURES = ("n_counts", "n_genes", "mito_share")
"""Columns of `obs` with medians in the table."""


class FewSpots(InputError):
    """Too few spots pass; `problem` is the message without a fix, for users who set no limits."""

    def __init__(self, sentence: str, problem: str) -> None:
        super().__init__(sentence)
        self.problem = problem


def apply_qc(
    adata: "AnnData",
    *,
    in_tissue: bool = True,
    min_counts: int = 1,
    min_genes: int = 1,
    max_mito_share: float = 1.0,
    min_spots: int = 15,
    aliases: Mapping[str, set[str]] | None = None,
) -> "AnnData":
    """Keep the spots that pass, judged on all genes of the source.

    Parameters
    ----------
    adata
        A section as returned by `readers.read_source`, with raw counts in X.
    in_tissue
        Keep only spots with `obs['in_tissue']` 1. Without that column, every spot counts as in
        tissue.
    min_counts, min_genes
        Minimum counts, and minimum number of genes with a count, of a spot.
    max_mito_share
        Maximum share (0 to 1) of a spot's counts in mitochondrial genes; see `gene_names`.
    min_spots
        Minimum number of spots that remain, that of a neighbourhood.
    aliases
        Aliases from `panel.read_aliases`: other names of mitochondrial genes.

    Returns
    -------
    AnnData
        A copy with `obs['n_counts']`, `obs['n_genes']` (int32) and `obs['mito_share']` (float32).
        The latter is NaN, and passes, for spots without counts and sources without mitochondrial
        genes.

    Raises
    ------
    FewSpots
        If fewer than `min_spots` remain.
    InputError
        If some of them lack coordinates, or more than half share a position with another.
    """
    measures = spot_measures(adata, aliases)
    tissue = np.ones(adata.n_obs, dtype=bool)
    if in_tissue and "in_tissue" in adata.obs:
        tissue = adata.obs["in_tissue"].to_numpy() == 1
    passes = {
        "in tissue": tissue,
        f"{min_counts} counts": measures["n_counts"].to_numpy() >= min_counts,
        f"{min_genes} genes": measures["n_genes"].to_numpy() >= min_genes,
        f"mitochondrial share {max_mito_share:g}": ~(
            measures["mito_share"].to_numpy() > max_mito_share
        ),
    }
    keep = np.logical_and.reduce(list(passes.values()))
    if keep.sum() < min_spots:
        each = ", ".join(f"{name}: {mask.sum()}" for name, mask in passes.items())
        few = f"{keep.sum()} of {adata.n_obs} spots pass quality control ({each})"
        raise FewSpots(
            f"{few}, but a neighbourhood needs min_spots = {min_spots}. Fix: lower the limits, or "
            "leave this section out.",
            f"{few}, but a neighbourhood needs {min_spots}",
        )
    kept = adata[keep].copy()
    kept.obs[measures.columns] = measures[keep]
    if not np.isfinite(kept.obsm["spatial"]).all():
        raise InputError(
            "spots outside the tissue have NaN or missing coordinates. Fix: exclude them "
            "(`in_tissue`), or give their positions."
        )
    shared = count_shared_positions(kept.obsm["spatial"])
    if shared > kept.n_obs / 2:
        raise InputError(
            f"{shared} of {kept.n_obs} spots share their position with another spot. Fix: give "
            "each its own x and y, or one section alone."
        )
    return kept


def spot_measures(adata: "AnnData", aliases: Mapping[str, set[str]] | None = None) -> pd.DataFrame:
    """Return `n_counts`, `n_genes` (int32) and `mito_share` (float32) per spot; see `apply_qc`."""
    n_counts = np.asarray(adata.X.sum(axis=1)).ravel()
    mito = mitochondrial(source_symbols(adata), adata.var, aliases)
    mito_counts = np.asarray(adata.X[:, np.flatnonzero(mito)].sum(axis=1)).ravel()
    share = np.full(adata.n_obs, np.nan, dtype=np.float32)
    np.divide(mito_counts, n_counts, out=share, where=(n_counts > 0) & mito.any())
    return pd.DataFrame(
        {
            "n_counts": n_counts.astype(np.int32),
            "n_genes": np.diff(adata.X.indptr).astype(np.int32),
            "mito_share": share,
        },
        index=adata.obs_names,
    )


def count_shared_positions(spatial: np.ndarray) -> int:
    """Count the spots (rows of x, y) that share their position with another."""
    _, times = np.unique(spatial, axis=0, return_counts=True)
    return int(times[times > 1].sum())


def qc_table(
    samples: Sequence[str | Path],
    rows: Sequence[Mapping],
    matched: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return one row per harmonised sample: spots and genes before and after, depth, size on disk.

    Only `obs` and `uns['provenance']` are read, not counts. `median_...` are over the spots kept
    and all genes of the source. `median_mito_share` is missing if the source has no mitochondrial
    gene. `file_bytes` and `bytes_per_spot` refer to the h5ad.

    Parameters
    ----------
    rows
        Rows of the cohort's sheet: sample, patient, organ, technology.
    matched
        Result of `labels.cohort_labels`, for a cohort with labels.

    Raises
    ------
    InputError
        If a file is missing, cannot be read or is not a harmonised sample.
    """
    facts = {row["sample"]: dict(row) for row in rows}
    for found in [] if matched is None else matched.to_dict("records"):
        facts[found["sample"]] |= found
    table = []
    for path in map(Path, samples):
        try:
            with h5py.File(path) as file:
                obs = frame_in(file["obs"], MEASURES)
                provenance = facts_in(file["uns/provenance"])
        except (OSError, KeyError) as error:
            raise InputError(
                f"{path}: is not a harmonised sample ({error}). Fix: remove it and run again."
            ) from error
        size = path.stat().st_size
        known = facts[provenance["sample"]] | provenance
        table.append(
            {name: known.get(name) for name in COLUMNS}
            | {
                "median_counts": obs["n_counts"].median(),
                "median_genes": obs["n_genes"].median(),
                "median_mito_share": obs["mito_share"].dropna().median(),
                "file_bytes": size,
                "bytes_per_spot": round(size / len(obs)),
            }
        )
    return pd.DataFrame(table)
