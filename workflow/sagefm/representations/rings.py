"""Rings of the array around each spot: what averages over neighbours are taken of.

Six spots lie next to a spot on Visium's hexagonal array, eight on the square one of Spatial
Transcriptomics. Without array positions, those within 1.5 times the spots' spacing do.
"""

from pathlib import Path

import numpy as np
import scipy.sparse as sp

from sagefm.graphs.grid import HEXAGONAL, SQUARE
from sagefm.graphs.neighbourhoods import build_graph
from sagefm.sections.cohort import Cohort
from sagefm.sections.section import spot_positions


def ring(path: Path) -> sp.csr_matrix:
    """Boolean spots x spots matrix of the spots next to each spot of a sample, itself left out.

    Raises
    ------
    InputError
        Where array positions and pixels disagree.
    """
    coordinates, array = spot_positions(path)
    if array is None:
        return build_graph(coordinates, "radius").adjacency
    # On Visium's array, and there alone, row and column are both even or both odd.
    technology = HEXAGONAL if len(np.unique(array.sum(axis=1) % 2)) == 1 else SQUARE
    return build_graph(
        coordinates, "grid", array=array, technology=technology, corners=True
    ).adjacency


def ring_mean(cohort: Cohort) -> sp.csr_matrix:
    """Means over each spot and its ring: csr float32 (spots, spots), section by section."""
    return _cohort_mean(cohort, lambda ties: ties + sp.identity(ties.shape[0], dtype=bool))


def nth_ring_mean(cohort: Cohort, steps: int) -> sp.csr_matrix:
    """Means over the spots that are `steps` rings from each spot: csr float32 (spots, spots).

    A spot with no other at that distance is its own mean.
    """
    return _cohort_mean(cohort, lambda ties: _exactly(ties, steps))


def _cohort_mean(cohort: Cohort, members) -> sp.csr_matrix:
    """Rows of `members` of each section's ring, divided by their sum."""
    blocks = []
    for path in cohort.samples:
        inside = sp.csr_matrix(members(ring(path)), dtype=np.float32)
        alone = sp.diags((inside.sum(axis=1).A1 == 0).astype(np.float32))
        inside = sp.csr_matrix(inside + alone)
        blocks.append(sp.diags(1 / inside.sum(axis=1).A1) @ inside)
    return sp.csr_matrix(sp.block_diag(blocks, format="csr"), dtype=np.float32)


def _exactly(ties: sp.csr_matrix, steps: int) -> sp.csr_matrix:
    """Spots that are reached in so many steps and not in fewer: boolean spots x spots."""
    nearer = sp.csr_matrix(sp.identity(ties.shape[0], dtype=bool))
    reached = nearer
    for _ in range(steps):
        nearer, reached = reached, sp.csr_matrix(reached + reached @ ties, dtype=bool)
    return sp.csr_matrix(reached.astype(np.int8) - nearer.astype(np.int8), dtype=bool)
