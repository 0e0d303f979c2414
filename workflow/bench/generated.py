"""Generate sections with the size and genes of HEST's by resampling the bundled real ones.

For benchmarks only. A Visium spot holds more counts than a spot of the arrays that the bundled
sections come from. Each generated spot is therefore the sum of several adjacent real ones. This
keeps the co-expression of genes and the share of zeros as they are in tissue at that depth.
"""

from collections.abc import Sequence

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.spatial import cKDTree

ARRAYS = ((78, 64), (128, 112))
"""Rows, and spots per row, of Visium's capture areas of 6.5 and 11 mm."""

PITCH = 200.0
"""Distance between the centres of adjacent spots (100 micrometres) in full-resolution pixels."""


def visium_array(spots: int) -> np.ndarray:
    """Return array row and column of the `spots` spots nearest to a capture area's centre.

    Returns
    -------
    int64 (spots, 2), rows first. Columns in a row are all even or all odd, as in Space Ranger.

    Raises
    ------
    ValueError
        If no capture area has that many spots.
    """
    for rows, columns in ARRAYS:
        if spots <= rows * columns:
            row, place = np.divmod(np.arange(rows * columns), columns)
            array = np.stack([row, 2 * place + row % 2], axis=1)
            distance = np.linalg.norm(pixels(array) - pixels(array).mean(axis=0), axis=1)
            return array[np.sort(np.argsort(distance, kind="stable")[:spots])]
    raise ValueError(f"no Visium capture area has {spots} spots")


def pixels(array: np.ndarray) -> np.ndarray:
    """Return pixel coordinates of spots from array row and column: float64 (spots, 2), x and y."""
    return PITCH * np.stack([array[:, 1] / 2, array[:, 0] * np.sqrt(3) / 2], axis=1)


def generate_section(
    source: anndata.AnnData,
    panel: Sequence[str],
    *,
    spots: int,
    genes: int,
    counts: float,
    seed: int,
) -> anndata.AnnData:
    """Generate a section in HEST's layout by resampling a real one.

    Parameters
    ----------
    source
        A bundled section: raw counts, `obsm['spatial']`.
    panel
        Genes that the section must have. Genes that the source lacks, and genes added to reach the
        number, are 0.
    spots, genes
        Size of the section. Of the source's other genes, the most abundant are kept.
    counts
        Target median counts per spot. Each spot is the sum of as many source spots as this takes.
        They are drawn from the twice as many that are nearest to its place in the tissue.
    seed
        Seed of the draw.

    Returns
    -------
    AnnData
        `X` csr float32 (spots x genes) of integers; `obs` with `in_tissue`, `array_row`,
        `array_col` and `pxl_row_in_fullres`, `pxl_col_in_fullres`; `obsm['spatial']`.
    """
    rng = np.random.default_rng(seed)
    array = visium_array(spots)
    # Rotated a little and rounded, as in a real image, so that no two distances are exactly equal.
    angle = rng.uniform(-0.05, 0.05)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    place = np.round(pixels(array) @ turn)
    real = sp.csr_matrix(source.X, dtype=np.float32)
    pooled = max(1, round(counts / float(np.median(np.asarray(real.sum(axis=1))))))
    near = min(2 * pooled, source.n_obs)
    _, candidates = cKDTree(_unit(source.obsm["spatial"])).query(_unit(place), k=near)
    drawn = rng.permuted(candidates.reshape(spots, near), axis=1)[:, :pooled]
    ones = np.ones(drawn.size, dtype=np.float32)
    indptr = np.arange(spots + 1) * drawn.shape[1]
    pooling = sp.csr_matrix((ones, drawn.ravel(), indptr), shape=(spots, source.n_obs))
    columns, names = _columns(source, panel, genes)
    matrix = sp.csr_matrix(pooling @ real[:, columns])
    matrix.resize(spots, genes)
    matrix.sort_indices()
    barcodes = [f"{number:016d}-1" for number in rng.choice(10**15, spots, replace=False)]
    obs = pd.DataFrame(
        {
            "in_tissue": np.uint8(1),
            "array_row": array[:, 0].astype(np.int32),
            "array_col": array[:, 1].astype(np.int32),
            "pxl_row_in_fullres": place[:, 1],
            "pxl_col_in_fullres": place[:, 0],
        },
        index=barcodes,
    )
    var = pd.DataFrame(index=names)
    return anndata.AnnData(matrix, obs=obs, var=var, obsm={"spatial": place})


def _unit(coordinates: np.ndarray) -> np.ndarray:
    """Scale coordinates to the unit square."""
    low = coordinates.min(axis=0)
    return (coordinates - low) / (coordinates.max(axis=0) - low)


def _columns(
    source: anndata.AnnData, panel: Sequence[str], genes: int
) -> tuple[np.ndarray, list[str]]:
    """Return the source's columns that are kept, and the names of all genes, kept ones first."""
    names = source.var_names
    in_panel = names.isin(panel)
    lacking = pd.Index(panel).difference(names, sort=False)
    totals = np.asarray(source.X.sum(axis=0), dtype=np.float64).ravel()
    others = np.flatnonzero(~in_panel)
    room = max(genes - len(lacking) - int(in_panel.sum()), 0)
    chosen = others[np.argsort(-totals[others], kind="stable")[:room]]
    columns = np.sort(np.concatenate([np.flatnonzero(in_panel), chosen]))
    listed = [*names[columns], *lacking]
    return columns, [*listed, *(f"UNSEEN{i}" for i in range(genes - len(listed)))]
