"""The paper's neighbourhoods, compared with a bare search for the nearest spots."""

from argparse import Namespace

import numpy as np
from scipy.spatial import cKDTree

from bench.generated import pixels, visium_array
from bench.limits import best_seconds
from bench.table import Table
from sagefm.graphs.neighbourhoods import build_graph

TARGETS: dict[str, str] = {}
SIZE = 15


def measure_places(places: np.ndarray, table: Table) -> None:
    """Add the row for a section's coordinates (spots, 2)."""
    took = best_seconds(lambda: build_graph(places, "knn_clique", size=SIZE))
    bare = best_seconds(lambda: cKDTree(places).query(places, k=SIZE))
    detail = (
        f"{len(places)} spots; {2 * SIZE} are searched and sorted, so that ties go by a rule; "
        f"limit: scipy's tree finds the {SIZE} nearest"
    )
    table.add("graphs", len(places) / took, "spots/s", detail, len(places) / bare)


def measure(options: Namespace, table: Table) -> None:
    """Add the row for a full Visium capture area."""
    measure_places(pixels(visium_array(4992)), table)
