"""Neighbourhoods: for each spot an ego graph, with the spot first.

There are four kinds: `knn_clique` (the paper's: nearest spots, all pairs connected), `star`
(nearest spots, connected to the centre only), `grid` (rings of the array) and `radius`. Distances
are in full-resolution pixels or, for `radius`, in multiples of the section's spot spacing.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from sagefm.common.errors import InputError
from sagefm.common.io import atomic
from sagefm.graphs.nearest import TIES, nearest, spot_tree

NEIGHBOURS = 6
"""Number of nearest spots connected to each spot, as on Visium's array, for any model's graph."""


def neighbour_weights(coordinates: np.ndarray) -> sp.csr_matrix:
    """Return symmetric 0/1 weights (spots x spots) of the nearest spots, with a zero diagonal."""
    near = nearest(coordinates, NEIGHBOURS + 1)[:, 1:]
    n = len(coordinates)
    rows = np.repeat(np.arange(n), near.shape[1])
    weights = sp.csr_matrix((np.ones(near.size), (rows, near.ravel())), shape=(n, n))
    return sp.csr_matrix(weights.maximum(weights.T))


@dataclass(frozen=True)
class Graph:
    """The neighbourhoods of one section's n spots.

    Spots of neighbourhood i: `ego[indptr[i]:indptr[i + 1]]` (int32), spot i itself first.
    `adjacency` is the boolean spots x spots matrix of their edges (`grid`, `radius`). It is None if
    the kind determines the edges (`knn_clique`: all pairs; `star`: centre to each).
    """

    kind: str
    indptr: np.ndarray
    ego: np.ndarray
    adjacency: sp.csr_matrix | None = None

    @property
    def n_spots(self) -> int:
        """Number of spots in the section."""
        return len(self.indptr) - 1

    def mean_operator(self) -> sp.csr_matrix:
        """Return the matrix of neighbourhood means: float32 (spots, spots), rows sum to 1."""
        weights = np.repeat(1.0 / np.diff(self.indptr), np.diff(self.indptr)).astype(np.float32)
        return sp.csr_matrix((weights, self.ego, self.indptr), shape=(self.n_spots,) * 2)

    def subgraphs(self, spots: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return explicit subgraphs of some spots, stacked as disjoint graphs.

        Returns
        -------
        nodes : int32 (nodes,), row in the section of each node
        edge_index : int64 (2, edges), both directions, without self-loops
        centre : int64 (spots,), node of each central spot
        """
        sizes = np.diff(self.indptr)[spots]
        centre = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        owner = np.repeat(np.arange(len(spots)), sizes)
        offset = np.arange(sizes.sum()) - centre[owner]
        nodes = self.ego[self.indptr[spots][owner] + offset]
        if self.kind == "star":
            outer = np.flatnonzero(offset)
            edges = np.stack([outer, centre[owner[outer]]])
            return nodes, np.concatenate([edges, edges[::-1]], axis=1), centre
        if self.adjacency is None:
            source = np.repeat(np.arange(len(nodes)), sizes[owner])
            first = np.concatenate([[0], np.cumsum(sizes[owner])[:-1]])
            target = centre[owner[source]] + np.arange(len(source)) - first[source]
            return nodes, np.stack([source, target])[:, source != target], centre
        # A link of a node is an edge if its other end is in the same subgraph.
        ties = self.adjacency[nodes].tocoo()
        keys = owner * np.int64(self.n_spots) + nodes
        wanted = owner[ties.row] * np.int64(self.n_spots) + ties.col
        order = np.argsort(keys)
        found = order[np.searchsorted(keys, wanted, sorter=order).clip(max=len(keys) - 1)]
        inside = keys[found] == wanted
        return nodes, np.stack([ties.row[inside], found[inside]]).astype(np.int64), centre


def build_graph(
    coordinates: np.ndarray,
    kind: str,
    *,
    size: int = 15,
    ties: str = "row",
    rings: int = 1,
    radius_spacings: float = 1.5,
    array: np.ndarray | None = None,
    technology: str | None = None,
    corners: bool = False,
) -> Graph:
    """Build the neighbourhoods of one section.

    Parameters
    ----------
    coordinates
        (spots, 2) float, full-resolution pixels (x, y).
    kind
        `knn_clique`, `star`, `grid` or `radius`.
    size
        Number of spots in a `knn_clique` or `star` neighbourhood, including the central one (paper:
        15). Smaller in a section with fewer spots.
    ties
        Rule for equally distant spots in a `knn_clique` or `star`: a key of `nearest.TIES`.
    rings, array, technology, corners
        For `grid`: number of rings of array neighbours, array row and column (spots, 2; integer),
        and the technology. The array is hexagonal on Visium and square on Spatial Transcriptomics,
        where `corners` adds the diagonal neighbours.
    radius_spacings
        For `radius`: radius in multiples of the median distance to the nearest other spot.

    Raises
    ------
    InputError
        For an unknown kind or rule for ties, or a grid whose array disagrees with the coordinates.
    """
    coordinates = np.asarray(coordinates, dtype=np.float64)
    if kind in ("knn_clique", "star"):
        if ties not in TIES:
            raise InputError(f"`ties: {ties}` is unknown. Fix: use {' or '.join(TIES)}.")
        ego = TIES[ties](coordinates, size)
        indptr = np.arange(len(ego) + 1) * ego.shape[1]
        return Graph(kind, indptr, ego.ravel())
    if kind == "radius":
        adjacency = _within_radius(coordinates, radius_spacings)
        return _rings(kind, adjacency, 1)
    if kind == "grid":
        from sagefm.graphs.grid import grid_adjacency

        return _rings(kind, grid_adjacency(coordinates, array, technology, corners), rings)
    raise InputError(f"graph kind `{kind}` is unknown. Fix: use knn_clique, star, grid or radius.")


def others_operator(indptr: np.ndarray, ego: np.ndarray) -> sp.csr_matrix:
    """Return the mean over each neighbourhood without its centre: CSR float64 (spots, spots).

    `indptr` and `ego` are those of one `Graph`, or of several stacked. A spot without neighbours
    has an empty row.
    """
    sizes = np.diff(indptr)
    weights = np.repeat(1 / np.maximum(sizes - 1, 1), sizes)
    weights[indptr[:-1]] = 0  # a neighbourhood begins with its centre
    return sp.csr_matrix((weights, ego, indptr), shape=(len(sizes),) * 2)


def spot_spacing(coordinates: np.ndarray) -> float:
    """Return the median distance (pixels) from a spot to the nearest spot at another position."""
    positions = np.unique(coordinates, axis=0)
    return float(np.median(spot_tree(positions).query(positions, k=2)[0][:, 1]))


def _within_radius(coordinates: np.ndarray, radius_spacings: float) -> sp.csr_matrix:
    pairs = spot_tree(coordinates).query_pairs(
        radius_spacings * spot_spacing(coordinates), output_type="ndarray"
    )
    both = np.concatenate([pairs, pairs[:, ::-1]]).T
    values = np.ones(both.shape[1], dtype=bool)
    return sp.csr_matrix((values, tuple(both)), shape=(len(coordinates),) * 2)


def _rings(kind: str, adjacency: sp.csr_matrix, rings: int) -> Graph:
    """Build ego graphs of the spots within `rings` steps along `adjacency`."""
    n = adjacency.shape[0]
    step = (adjacency + sp.identity(n, dtype=bool, format="csr")).astype(bool)
    reached = step
    for _ in range(rings - 1):
        reached = (reached @ step).astype(bool)
    reached = sp.csr_matrix(reached)
    rows = np.repeat(np.arange(n), np.diff(reached.indptr))
    order = np.lexsort((reached.indices, reached.indices != rows, rows))
    return Graph(kind, reached.indptr.astype(np.int64), reached.indices[order], adjacency)


def save_graph(graph: Graph, path: str | Path) -> None:
    """Write a graph as a compressed npz of integer arrays."""
    arrays = {"kind": np.array(graph.kind), "indptr": graph.indptr, "ego": graph.ego}
    if graph.adjacency is not None:
        arrays |= {"edge_indptr": graph.adjacency.indptr, "edges": graph.adjacency.indices}
    with atomic(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)


def load_graph(path: str | Path) -> Graph:
    """Read a graph written by `save_graph`."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    adjacency = None
    if "edges" in arrays:
        n = len(arrays["indptr"]) - 1
        values = np.ones(len(arrays["edges"]), dtype=bool)
        parts = (values, arrays["edges"], arrays["edge_indptr"])
        adjacency = sp.csr_matrix(parts, shape=(n, n))
    return Graph(str(arrays["kind"]), arrays["indptr"], arrays["ego"], adjacency)
