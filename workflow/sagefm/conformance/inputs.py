"""Read the released embeddings, this run's embeddings, and ties among neighbours from files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from anndata.io import read_elem

from sagefm.common.errors import InputError
from sagefm.common.h5ad import as_h5ad
from sagefm.conformance.search import Rows
from sagefm.graphs.nearest import has_tied_border
from sagefm.sections.section import spot_positions


@dataclass(frozen=True)
class Embeddings:
    """A cohort's embeddings in an open file, read by slices of rows, with each row's section."""

    rows: Rows
    samples: np.ndarray


@contextmanager
def embeddings_of(path: str | Path) -> Iterator[Embeddings]:
    """Open the rows of a representation's file, which are not read until they are used."""
    with as_h5ad(path), h5py.File(path) as file:
        name = read_elem(file["uns/representation/name"])
        samples = read_elem(file["obs"])["sample"].astype(str).to_numpy()
        yield Embeddings(file[f"obsm/X_{name}"], samples)


def released_rows(path: str | Path, width: int) -> np.ndarray:
    """Map the released embeddings into memory: float32 (rows, width); no pickle is read.

    Raises
    ------
    InputError
        If the file is not such a matrix.
    """
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{path}: not a plain array of numpy ({error}). Fix: fetch it again."
        ) from error
    if rows.dtype != np.float32 or rows.ndim != 2 or rows.shape[1] != width or not len(rows):
        raise InputError(
            f"{path}: holds {rows.dtype} of shape {rows.shape}, but the model's embeddings are "
            f"float32 of {width} features. Fix: name the embeddings of this checkpoint."
        )
    return rows


def tied_spots(samples: Sequence[str | Path], graph: Mapping) -> np.ndarray:
    """Whether each spot's last neighbour ties with an excluded one: bool, section by section.

    Parameters
    ----------
    samples
        Harmonised samples, in the order of the embeddings.
    graph
        The model's graph, as in its recipe. Kinds without a `size` have no such ties.
    """
    parts = []
    for path in samples:
        coordinates, _ = spot_positions(path)
        if graph["kind"] in ("knn_clique", "star"):
            parts.append(has_tied_border(coordinates, graph.get("size", 15)))
        else:
            parts.append(np.zeros(len(coordinates), dtype=bool))
    return np.concatenate(parts)
