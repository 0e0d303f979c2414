"""Sections in memory: normalised sparse expression and neighbourhoods, one chunk at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import h5py
import numpy as np
import scipy.sparse as sp

from sagefm.common.errors import InputError
from sagefm.common.h5ad import as_h5ad, names_in
from sagefm.graphs.neighbourhoods import Graph, load_graph, others_operator
from sagefm.sections.expression import SCALED_TO, count_scale, normalise
from sagefm.sections.masks import sample_key


def read_counts(path: str | Path) -> sp.csr_matrix:
    """Read only a sample's counts (spots x genes), in a third of the time of the whole file.

    Raises
    ------
    InputError
        If the file is missing or is not readable HDF5.
    """
    with as_h5ad(path), h5py.File(path) as file:
        x = file["X"]
        parts = (x["data"][:], x["indices"][:], x["indptr"][:])
        return sp.csr_matrix(parts, shape=tuple(x.attrs["shape"]))


def spot_positions(path: str | Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Read the positions of a sample's spots, without its counts.

    Returns
    -------
    coordinates : float64 (spots, 2), full-resolution pixels (x, y)
    array : int64 (spots, 2), array_row and array_col; None if the source has none
    """
    with as_h5ad(path), h5py.File(path) as file:
        coordinates, obs = file["obsm/spatial"][:], file["obs"]
        if "array_row" not in obs:
            return coordinates, None
        return coordinates, np.stack([obs["array_row"][:], obs["array_col"][:]], axis=1)


def spot_names(path: str | Path) -> np.ndarray:
    """Read the names of a sample's spots, as in its file (barcodes of Visium): str (spots,)."""
    with as_h5ad(path), h5py.File(path) as file:
        return names_in(file["obs"]).astype(str)


def measured_genes_of(path: str | Path) -> np.ndarray:
    """Return which panel genes a sample's source measured: bool (genes,); all if not recorded."""
    with as_h5ad(path), h5py.File(path) as file:
        var = file["var"]
        for key in ("measured", "in_source"):
            if key in var:
                return var[key][:]
        return np.ones(int(file["X"].attrs["shape"][1]), dtype=bool)


@dataclass(frozen=True)
class Section:
    """Paths of one sample's files, which are read only when needed."""

    cohort: str
    sample: str
    counts_path: Path
    graph_path: Path

    @property
    def key(self) -> int:
        """Number of the sample in the mask generator."""
        return sample_key(self.cohort, self.sample)

    def n_spots(self) -> int:
        """Return the number of spots, reading only the file's header."""
        return self._header()[0]

    def n_genes(self) -> int:
        """Return the number of genes in the panel, reading only the file's header."""
        return self._header()[1]

    def n_entries(self) -> int:
        """Return the number of nonzero counts, reading only the file's header."""
        return self._header()[2]

    def _header(self) -> tuple[int, int, int]:
        """Return the numbers of spots, genes and stored counts."""
        with as_h5ad(self.counts_path), h5py.File(self.counts_path) as file:
            spots, genes = file["X"].attrs["shape"]
            return int(spots), int(genes), len(file["X/data"])


def draw_rows(section: Section, number: int | None, seed: int) -> np.ndarray:
    """Draw `number` rows of a section at random, or all if it has fewer; sorted.

    The draw depends on seed and section only; a smaller draw is a subset of a larger one.
    """
    rng = np.random.default_rng([seed, section.key])
    return np.sort(rng.permutation(section.n_spots())[:number])


def sections_of(samples: Sequence[str | Path], graphs: Sequence[str | Path]) -> list[Section]:
    """Return sections for per-sample files `{cohort}/{sample}.*`, each sample with its graph."""
    return [
        Section(Path(sample).parent.name, Path(sample).stem, Path(sample), Path(graph))
        for sample, graph in zip(samples, graphs, strict=True)
    ]


@dataclass(frozen=True)
class Chunk:
    """Stacked sections: expression, neighbourhoods with shifted rows, and the origin of each row.

    `expression` is csr float32 (spots, genes). `ego_indptr` and `ego` are the graphs' arrays over
    the chunk's rows. `keys` (uint64) and `spots` (int64) give each row's sample and row in it, for
    the mask generator. `graphs` and `starts` are the sections' own graphs and first rows. `depth`
    (float32 per row) is the factor from the rate, expm1(expression), to counts; `scaled` is whether
    it differs between spots. `measured`, bool (sections, genes), is set if genes that a section did
    not measure are distinguished from those without counts.
    """

    expression: sp.csr_matrix
    ego_indptr: np.ndarray
    ego: np.ndarray
    keys: np.ndarray
    spots: np.ndarray
    graphs: tuple[Graph, ...]
    starts: np.ndarray
    depth: np.ndarray
    scaled: bool
    measured: np.ndarray | None = None

    def owner(self, rows: np.ndarray) -> np.ndarray:
        """Return the number of each row's section in the chunk."""
        return np.searchsorted(self.starts, rows, side="right") - 1

    @cached_property
    def totals(self) -> tuple[np.ndarray, np.ndarray]:
        """Sums of expression and of rate over each section's spots: float32 (sections, genes)."""
        rate = self.expression.copy()
        rate.data = np.expm1(rate.data)
        ends = np.append(self.starts[1:], len(self.spots))

        def sums(values: sp.csr_matrix) -> np.ndarray:
            own = [values[a:b] for a, b in zip(self.starts, ends, strict=True)]
            totals = [part.sum(axis=0, dtype=np.float64) for part in own]
            return np.stack([np.asarray(total, np.float32).ravel() for total in totals])

        return sums(self.expression), sums(rate)

    def background(self, rows: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean expression and mean rate of all other spots of each row's section.

        Parameters
        ----------
        rows
            Rows of the chunk.
        own
            float32 (rows, genes): expression of the rows themselves, which is excluded.
        """
        owner = self.owner(rows)
        sizes = np.diff(np.append(self.starts, len(self.spots)))
        others = np.maximum(sizes[owner] - 1, 1).astype(np.float32)[:, None]
        expression, rate = self.totals
        # Rounding must not give a negative value for a gene that no other spot has.
        mean = np.maximum(expression[owner] - own, 0) / others
        return mean, np.maximum(rate[owner] - np.expm1(own), 0) / others

    def others(self) -> sp.csr_matrix:
        """Return the operator for means over each row's neighbours: csr float32 (rows, rows)."""
        return others_operator(self.ego_indptr, self.ego).astype(np.float32)

    def neighbour_mean(self) -> sp.csr_matrix:
        """Return the mean expression of each row's neighbours: csr float32 (rows, genes)."""
        return sp.csr_matrix(self.others() @ self.expression)

    def subgraphs(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Apply `Graph.subgraphs` to rows of the chunk: (nodes, edge_index, centre), in order."""
        owner = self.owner(rows)
        nodes, edges, centres, shift = [], [], [], 0
        # Consecutive rows of one section are processed together.
        for piece in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(owner)) + 1):
            section = owner[piece[0]]
            part = self.graphs[section].subgraphs(rows[piece] - self.starts[section])
            nodes.append(part[0] + self.starts[section])
            edges.append(part[1] + shift)
            centres.append(part[2] + shift)
            shift += len(part[0])
        return np.concatenate(nodes), np.concatenate(edges, axis=1), np.concatenate(centres)


def read_section(section: Section) -> tuple[sp.csr_matrix, Graph]:
    """Read counts (spots x genes) and neighbourhoods of a section."""
    return read_counts(section.counts_path), load_graph(section.graph_path)


def load_chunk(
    sections: Sequence[Section],
    normalisation: str,
    withheld: Sequence[int] | np.ndarray = (),
    read: Callable[[Section], tuple[sp.csr_matrix, Graph]] = read_section,
) -> Chunk:
    """Read, normalise and stack sections; the counts of `withheld` genes (columns) are set to 0.

    Raises
    ------
    InputError
        If a graph was built for a different number of spots than its sample has.
    """
    graphs, depths, ends = [], [], [np.zeros(1, dtype=np.int64)]
    # Filled section by section: stacking them afterwards would hold all of them twice.
    room = sum(section.n_entries() for section in sections)
    values, genes = np.empty(room, dtype=np.float32), np.empty(room, dtype=np.int32)
    for section in sections:
        counts, graph = read(section)
        if len(withheld):
            counts = counts.copy()
            counts.data[np.isin(counts.indices, withheld)] = 0
            counts.eliminate_zeros()
        if graph.n_spots != counts.shape[0]:
            raise InputError(
                f"{section.graph_path}: built on {graph.n_spots} spots, but {section.counts_path} "
                f"has {counts.shape[0]}. Fix: remove the graph and run again."
            )
        here = slice(ends[-1][-1], ends[-1][-1] + counts.nnz)
        values[here], genes[here] = normalise(counts, normalisation).data, counts.indices
        ends.append(here.start + counts.indptr[1:].astype(np.int64))
        depths.append(count_scale(counts, normalisation))
        graphs.append(graph)
    sizes = np.array([graph.n_spots for graph in graphs])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    edges = np.concatenate([[0], np.cumsum([len(graph.ego) for graph in graphs])])
    indptr = [graph.indptr[:-1] + edge for graph, edge in zip(graphs, edges, strict=False)]
    rows = np.concatenate(ends)
    filled = (values[: rows[-1]], genes[: rows[-1]], rows)
    return Chunk(
        expression=sp.csr_matrix(filled, shape=(len(rows) - 1, counts.shape[1])),
        ego_indptr=np.concatenate([*indptr, edges[-1:]]),
        ego=np.concatenate([g.ego + start for g, start in zip(graphs, starts, strict=True)]),
        keys=np.repeat(np.array([s.key for s in sections], dtype=np.uint64), sizes),
        spots=np.concatenate([np.arange(size) for size in sizes]),
        graphs=tuple(graphs),
        starts=starts,
        depth=np.concatenate(depths),
        scaled=SCALED_TO[normalisation] is not None,
    )
