"""Sections in memory: normalised sparse expression with its neighbourhoods, one chunk at a time."""

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
    """Read a sample's counts (spots x genes) and nothing else: a third of the time of all of it.

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
    """Where a sample's spots are, without reading its counts.

    Returns
    -------
    coordinates : float64 (spots, 2), full-resolution pixels (x, y)
    array : int64 (spots, 2), array_row and array_col; None where the source has none
    """
    with as_h5ad(path), h5py.File(path) as file:
        coordinates, obs = file["obsm/spatial"][:], file["obs"]
        if "array_row" not in obs:
            return coordinates, None
        return coordinates, np.stack([obs["array_row"][:], obs["array_col"][:]], axis=1)


def spot_names(path: str | Path) -> np.ndarray:
    """Names of a sample's spots, as in its file (barcodes of Visium): str (spots,)."""
    with as_h5ad(path), h5py.File(path) as file:
        return names_in(file["obs"]).astype(str)


def measured_genes_of(path: str | Path) -> np.ndarray:
    """Which panel genes a sample's source measured: bool (genes,); all where it does not say."""
    with as_h5ad(path), h5py.File(path) as file:
        var = file["var"]
        for key in ("measured", "in_source"):
            if key in var:
                return var[key][:]
        return np.ones(int(file["X"].attrs["shape"][1]), dtype=bool)


@dataclass(frozen=True)
class Section:
    """Where one sample's files lie; nothing is read until it is needed."""

    cohort: str
    sample: str
    counts_path: Path
    graph_path: Path

    @property
    def key(self) -> int:
        """The sample's number in the mask generator."""
        return sample_key(self.cohort, self.sample)

    def n_spots(self) -> int:
        """Spots of the section, from the file's header alone."""
        return self._header()[0]

    def n_genes(self) -> int:
        """Genes of the section's panel, from the file's header alone."""
        return self._header()[1]

    def n_entries(self) -> int:
        """Counts that are not 0, from the file's header alone."""
        return self._header()[2]

    def _header(self) -> tuple[int, int, int]:
        """Spots, genes and stored counts."""
        with as_h5ad(self.counts_path), h5py.File(self.counts_path) as file:
            spots, genes = file["X"].attrs["shape"]
            return int(spots), int(genes), len(file["X/data"])


def draw_rows(section: Section, number: int | None, seed: int) -> np.ndarray:
    """Rows of a section drawn at random: `number` of them, or all there are; sorted.

    A function of seed and section alone; fewer rows are among more.
    """
    rng = np.random.default_rng([seed, section.key])
    return np.sort(rng.permutation(section.n_spots())[:number])


def sections_of(samples: Sequence[str | Path], graphs: Sequence[str | Path]) -> list[Section]:
    """Sections of per-sample files `{cohort}/{sample}.*`, each sample with its graph."""
    return [
        Section(Path(sample).parent.name, Path(sample).stem, Path(sample), Path(graph))
        for sample, graph in zip(samples, graphs, strict=True)
    ]


@dataclass(frozen=True)
class Chunk:
    """Some sections stacked: expression, neighbourhoods with shifted rows, and each row's origin.

    `expression` is csr float32 (spots, genes); `ego_indptr`, `ego` are the graphs' arrays over the
    chunk's rows; `keys` (uint64) and `spots` (int64) name each row's sample and row in it, as the
    mask generator needs them; `graphs` and `starts` keep the sections' own graphs and first rows.
    `depth` (float32, a row) is what expression's rate, expm1(expression), is to be multiplied with
    to give counts; `scaled` is whether that differs between spots. `measured`, bool (sections,
    genes), is there where genes that a section did not measure are told from those it has none of.
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
        """The number of each row's section in the chunk."""
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
        """Mean expression, and mean rate, of all other spots of each row's section.

        Parameters
        ----------
        rows
            Of the chunk.
        own
            float32 (rows, genes): their own expression, which does not enter.
        """
        owner = self.owner(rows)
        sizes = np.diff(np.append(self.starts, len(self.spots)))
        others = np.maximum(sizes[owner] - 1, 1).astype(np.float32)[:, None]
        expression, rate = self.totals
        # Rounding of sums must not leave a gene that no other spot has below zero.
        mean = np.maximum(expression[owner] - own, 0) / others
        return mean, np.maximum(rate[owner] - np.expm1(own), 0) / others

    def others(self) -> sp.csr_matrix:
        """The mean over each row's neighbours without itself: csr float32 (rows, rows)."""
        return others_operator(self.ego_indptr, self.ego).astype(np.float32)

    def neighbour_mean(self) -> sp.csr_matrix:
        """Mean expression of each row's neighbours without itself: csr float32 (rows, genes)."""
        return sp.csr_matrix(self.others() @ self.expression)

    def subgraphs(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`Graph.subgraphs` over rows of the chunk: (nodes, edge_index, centre), in row order."""
        owner = self.owner(rows)
        nodes, edges, centres, shift = [], [], [], 0
        # Consecutive rows of one section are taken together.
        for piece in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(owner)) + 1):
            section = owner[piece[0]]
            part = self.graphs[section].subgraphs(rows[piece] - self.starts[section])
            nodes.append(part[0] + self.starts[section])
            edges.append(part[1] + shift)
            centres.append(part[2] + shift)
            shift += len(part[0])
        return np.concatenate(nodes), np.concatenate(edges, axis=1), np.concatenate(centres)


def read_section(section: Section) -> tuple[sp.csr_matrix, Graph]:
    """Counts (spots x genes) and neighbourhoods of a section."""
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
        If a graph was built on another number of spots than its sample has.
    """
    graphs, depths, ends = [], [], [np.zeros(1, dtype=np.int64)]
    # Filled as sections come: to stack them afterwards would hold all of them twice.
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
