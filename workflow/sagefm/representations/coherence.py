"""Spatial coherence of a representation: Moran's I of its components over the array's neighbours.

A mean over 15 spots is smooth by construction, trained or not. The untrained neighbour mean is
therefore shown next to every trained embedding.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from sagefm.graphs.neighbourhoods import neighbour_weights
from sagefm.stats.components import dense_components, principal_components


def moran_table(
    name: str,
    values: np.ndarray | sp.csr_matrix,
    coordinates: np.ndarray,
    samples: np.ndarray,
    components: int,
) -> pd.DataFrame:
    """Compute Moran's I of a representation, one row per sample.

    Representations differ in width. Each is first reduced to `components` principal components of
    the whole cohort.

    Parameters
    ----------
    values
        (spots, features) of the cohort, dense or CSR.
    coordinates, samples
        Spot positions in pixels (spots, 2) and sample names (spots,).
    components
        Number of principal components.

    Returns
    -------
    DataFrame
        Columns sample, representation, components, mean_moran_i, median_moran_i (over components),
        n_spots.
    """
    from scanpy.metrics import morans_i  # slow to import

    if sp.issparse(values):
        reduced = principal_components(values, components, seed=0)[0]
    else:
        reduced = dense_components(values, components)
    # Components beyond the rank are rounding errors without spatial meaning.
    spread = reduced.var(axis=0)
    reduced = reduced[:, spread > 1e-8 * spread[0]]
    components = reduced.shape[1]
    rows = []
    for sample in pd.unique(samples):
        inside = samples == sample
        scores = morans_i(neighbour_weights(coordinates[inside]), reduced[inside].T)
        rows.append(
            {
                "sample": sample,
                "representation": name,
                "components": components,
                "mean_moran_i": float(np.mean(scores)),
                "median_moran_i": float(np.median(scores)),
                "n_spots": int(inside.sum()),
            }
        )
    return pd.DataFrame(rows)
