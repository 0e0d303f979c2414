"""Find tissue that occurs twice: sections in which many spots have the same counts.

A spot's counts over the panel are hashed to one number, so names, order and coordinates do not
matter.
"""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

from sagefm.common.h5ad import as_h5ad

CHECKSUMS = "spot_checksums"
"""Key of the checksums in `uns` of a harmonised sample."""

SHARED = 0.5
"""Two sections are the same if they share at least this share of the smaller one's spots."""


def spot_checksums(counts: sp.csr_matrix) -> np.ndarray:
    """Return a hash for each distinct spot, equal for equal counts: uint64, sorted.

    Parameters
    ----------
    counts
        csr int32 (spots, genes).
    """
    factors = np.random.default_rng(0).integers(0, 2**63, counts.shape[1], dtype=np.uint64)
    return np.unique(counts.astype(np.uint64) @ factors)


def find_duplicates(samples: Sequence[str | Path]) -> pd.DataFrame:
    """Find pairs of sections with the same counts.

    Parameters
    ----------
    samples
        Harmonised samples, `{cohort}/{sample}.h5ad`.

    Returns
    -------
    DataFrame
        sample, duplicate_of (earlier in `samples`), both `cohort/sample`, and evidence; empty if
        there are no duplicates.
    """
    names, sums = [], []
    for path in map(Path, samples):
        with as_h5ad(path), h5py.File(path) as file:
            names.append(f"{path.parent.name}/{path.stem}")
            sums.append(file["uns"][CHECKSUMS][:])
    owners = np.repeat(np.arange(len(sums)), [len(own) for own in sums])
    order = np.argsort(values := np.concatenate([*sums, np.zeros(0, np.uint64)]), kind="stable")
    starts = np.flatnonzero(np.diff(values[order])) + 1
    shared: dict[tuple[int, int], int] = {}
    for together in np.split(owners[order], starts):
        for pair in combinations(together.tolist(), 2):
            shared[pair] = shared.get(pair, 0) + 1
    rows = [
        (names[second], names[first], f"{number} spots with the same counts")
        for (first, second), number in sorted(shared.items())
        if number >= SHARED * min(len(sums[first]), len(sums[second]))
    ]
    return pd.DataFrame(rows, columns=["sample", "duplicate_of", "evidence"])
