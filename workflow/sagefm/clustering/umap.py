"""UMAP of a cohort's representations, for visual inspection only; it is not scored.

As in scanpy, only the layout is umap-learn's. Its input is the graph used for Leiden, because
compiling umap-learn's own graph takes ten times as long.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import scipy.sparse as sp

from sagefm.clustering.graph import fuzzy_graph, reduce, rotate
from sagefm.clustering.metrics import subsample
from sagefm.representations.files import Representation, require_same_spots

EPOCHS = 200

MIN_DISTANCE = 0.1
"""umap-learn's defaults: epochs for large data sets, and minimum distance between spots."""


def umap_table(
    representations: Iterable[Representation],
    components: int,
    neighbours: int,
    spots: int,
    seed: int,
) -> pd.DataFrame:
    """Compute two coordinates of each drawn spot in every representation.

    Parameters
    ----------
    representations
        Representations of one cohort, read one at a time.
    components
        Number of principal components used by UMAP, the same for all.
    neighbours
        Number of nearest spots, including the spot itself.
    spots, seed
        Maximum number of spots, drawn at random and the same for all.

    Returns
    -------
    DataFrame
        Columns representation, sample, spot, label, patient, umap_1, umap_2.

    Raises
    ------
    InputError
        If representations do not have the same spots in the same order.
    """
    tables, first = [], None
    for representation in representations:
        first = representation.obs.index if first is None else first
        require_same_spots(first, representation.obs.index, representation.name)
        drawn = subsample(len(first), spots, seed)
        values = representation.values
        values = reduce(values, components, seed) if sp.issparse(values) else rotate(values)
        layout = umap_layout(values[drawn, :components], neighbours, seed)
        obs = representation.obs.iloc[drawn].astype(object)
        table = obs.reindex(columns=["sample", "spot", "label", "patient"]).reset_index(drop=True)
        table.insert(0, "representation", representation.name)
        table["umap_1"], table["umap_2"] = np.round(layout.T, 3)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def umap_layout(values: np.ndarray, neighbours: int, seed: int) -> np.ndarray:
    """Return UMAP coordinates (spots, 2) of values (spots, features)."""
    from umap.umap_ import find_ab_params, simplicial_set_embedding

    if values.shape[1] == 1:  # the layout starts from two principal components
        values = np.column_stack([values, np.zeros(len(values))])
    a, b = find_ab_params(spread=1.0, min_dist=MIN_DISTANCE)
    layout, _ = simplicial_set_embedding(
        values.astype(np.float32),
        fuzzy_graph(values, neighbours).tocoo(),
        n_components=2,
        initial_alpha=1.0,
        a=a,
        b=b,
        gamma=1.0,
        negative_sample_rate=5,
        n_epochs=EPOCHS,
        init="pca",
        random_state=np.random.RandomState(seed),
        metric="euclidean",
        metric_kwds={},
        densmap=False,
        densmap_kwds={},
        output_dens=False,
    )
    return layout
