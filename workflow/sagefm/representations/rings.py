"""Rings of array positions around each spot, over which neighbours are averaged.

A spot has six adjacent spots on Visium's hexagonal array and eight on the square array of Spatial
Transcriptomics. Without array positions, spots within 1.5 times the spacing count as adjacent.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from sagefm.graphs.arrays import HEXAGONAL, SQUARE, is_hexagonal
from sagefm.graphs.neighbourhoods import build_graph
from sagefm.sections.cohort import Cohort
from sagefm.sections.section import spot_positions


def ring(path: Path) -> sp.csr_matrix:
    """Return the boolean spots x spots matrix of adjacent spots in a sample, without the diagonal.

    Raises
    ------
    InputError
        If array positions and pixels disagree.
    """
    coordinates, array = spot_positions(path)
    if array is None:
        return build_graph(coordinates, "radius").adjacency
    technology = HEXAGONAL if is_hexagonal(array) else SQUARE
    return build_graph(
        coordinates, "grid", array=array, technology=technology, corners=True
    ).adjacency


def ring_mean(cohort: Cohort) -> sp.csr_matrix:
    """Return means over each spot and its ring: CSR float32 (spots, spots), section by section."""
    ties = (ring(path) for path in cohort.samples)
    return _cohort_mean(own + sp.identity(own.shape[0], dtype=bool) for own in ties)


def nth_ring_means(cohort: Cohort, rings: int) -> list[sp.csr_matrix]:
    """Return means over the 1st, 2nd, ... ring of each spot: CSR float32 (spots, spots).

    A spot without others at that distance is its own mean.
    """
    sections = [_shells(ring(path), rings) for path in cohort.samples]
    return [_cohort_mean(shells) for shells in zip(*sections, strict=True)]


def _cohort_mean(members: Iterable[sp.csr_matrix]) -> sp.csr_matrix:
    """Normalise each section's members (boolean, spots x spots) to row sums of 1."""
    blocks = []
    for own in members:
        inside = sp.csr_matrix(own, dtype=np.float32)
        alone = sp.diags((inside.sum(axis=1).A1 == 0).astype(np.float32))
        inside = sp.csr_matrix(inside + alone)
        blocks.append(sp.diags(1 / inside.sum(axis=1).A1) @ inside)
    return sp.csr_matrix(sp.block_diag(blocks, format="csr"), dtype=np.float32)


def _shells(ties: sp.csr_matrix, rings: int) -> list[sp.csr_matrix]:
    """Return spots first reached in 1, 2, ... steps: boolean spots x spots."""
    shells, reached = [], sp.csr_matrix(sp.identity(ties.shape[0], dtype=bool))
    for _ in range(rings):
        nearer, reached = reached, sp.csr_matrix(reached + reached @ ties, dtype=bool)
        shells.append(sp.csr_matrix(reached.astype(np.int8) - nearer.astype(np.int8), dtype=bool))
    return shells
