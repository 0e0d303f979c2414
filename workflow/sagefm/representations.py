"""Representations of a cohort: one file each, spots x features in `obsm`, section after section."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData
from anndata.io import read_elem

from sagefm.expression import normalise
from sagefm.graphs import load_graph
from sagefm.io import atomic, read_h5ad, require_space, write_h5ad

FACTS = ("sample", "patient", "organ", "disease_state")


def cohort_obs(samples: Sequence[str | Path]) -> pd.DataFrame:
    """One row a spot of a cohort: index `{sample}:{spot}`, columns `FACTS`, spot and label.

    Text columns are categories, and `label` is there if any sample has labels.
    """
    tables = []
    for path in samples:
        with h5py.File(path) as file:
            obs = read_elem(file["obs"])
            provenance = read_elem(file["uns/provenance"])
        table = pd.DataFrame({"spot": obs.index.astype(str)})
        for fact in FACTS:
            table[fact] = str(provenance[fact])
        if "label" in obs:
            table["label"] = obs["label"].astype(object).to_numpy()
        tables.append(table)
    cohort = pd.concat(tables, ignore_index=True)
    cohort.index = cohort["sample"] + ":" + cohort["spot"]
    return cohort.astype({column: "category" for column in cohort if column != "spot"})


def write_representation(
    path: str | Path,
    name: str,
    samples: Sequence[str | Path],
    blocks: Iterable[np.ndarray],
    width: int,
) -> None:
    """Write `obsm['X_{name}']` (spots, width; float32) with the cohort's `obs` and coordinates.

    Parameters
    ----------
    samples
        The cohort's harmonised samples; their order is the order of the rows.
    blocks
        Consecutive rows of the representation; held one at a time.

    Raises
    ------
    ValueError
        If the blocks have another number of rows than the samples have spots, or a value is NaN.
    """
    obs = cohort_obs(samples)
    spatial = np.concatenate([read_spatial(sample) for sample in samples])
    with atomic(path) as temporary:
        write_h5ad(AnnData(obs=obs, obsm={"spatial": spatial}), temporary)
        require_space(temporary, 4 * len(obs) * width)
        with h5py.File(temporary, "r+") as file:
            data = file["obsm"].create_dataset(f"X_{name}", (len(obs), width), np.float32)
            data.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
            done = 0
            for block in blocks:
                if np.isnan(block).any():
                    raise ValueError(f"representation `{name}`: NaN in rows from {done} on")
                data[done : done + len(block)] = block
                done += len(block)
        if done != len(obs):
            raise ValueError(f"representation `{name}`: {done} rows for {len(obs)} spots")


def read_spatial(path: str | Path) -> np.ndarray:
    """Coordinates of a sample's spots: float64 (spots, 2), full-resolution pixels."""
    with h5py.File(path) as file:
        return file["obsm/spatial"][:]


def reference_pca(matrices: Iterator[sp.csr_matrix], components: int, seed: int) -> np.ndarray:
    """Principal components (spots, components; float32) of stacked sparse expression.

    The cohort's sparse matrix is held in memory, never a dense one (scanpy centres implicitly).
    """
    from scanpy.pp import pca

    stacked = sp.csr_matrix(sp.vstack(list(matrices), format="csr"))
    components = min(components, min(stacked.shape) - 1)
    return np.asarray(pca(stacked, n_comps=components, random_state=seed), dtype=np.float32)


def expression_of(samples: Sequence[str | Path], how: str) -> Iterator[sp.csr_matrix]:
    """Normalised expression of each sample: what `pca` is computed on."""
    for path in samples:
        yield normalise(sp.csr_matrix(read_h5ad(path).X), how)


def neighbour_mean_of(
    samples: Sequence[str | Path], graphs: Sequence[str | Path], how: str
) -> Iterator[sp.csr_matrix]:
    """Mean expression of each spot's whole neighbourhood: what the paper's network is fed."""
    for expression, graph in zip(expression_of(samples, how), graphs, strict=True):
        yield sp.csr_matrix(load_graph(graph).mean_operator() @ expression)
