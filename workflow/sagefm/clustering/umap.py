"""UMAP of a cohort's representations, for the eye: nothing is scored on it.

As scanpy does, only the layout is umap-learn's; its input is the graph that Leiden cuts. umap-learn
would spend ten times as long on compiling its own.
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
"""umap-learn's own defaults for large data sets, and for how close spots may lie."""


def umap_table(
    representations: Iterable[Representation],
    components: int,
    neighbours: int,
    spots: int,
    seed: int,
) -> pd.DataFrame:
    """Two coordinates of each drawn spot in every representation.

    Parameters
    ----------
    representations
        Of one cohort, taken one at a time.
    components
        Principal components of each that UMAP sees, so that all have as many.
    neighbours
        Nearest spots, the spot itself counted.
    spots, seed
        Most spots shown, the same for all, drawn at random.

    Returns
    -------
    DataFrame
        representation, sample, spot, label, patient, umap_1, umap_2.

    Raises
    ------
    InputError
        If representations are not of the same spots in the same order.
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
    """UMAP coordinates (spots, 2) of values (spots, features)."""
    from umap.umap_ import find_ab_params, simplicial_set_embedding

    if values.shape[1] == 1:  # the layout begins with two principal components
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
