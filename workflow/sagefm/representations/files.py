"""Representations of a cohort: one file each, spots x features in `obsm`, section by section."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

from sagefm.common.elements import facts_in, write_facts, write_matrix, write_skeleton
from sagefm.common.errors import InputError
from sagefm.common.h5ad import as_h5ad, h5_image, names_in, text_in
from sagefm.common.io import atomic, require_space
from sagefm.sections.cohort import Cohort, cohort_obs, cohort_spatial, describe_spots


@dataclass(frozen=True)
class Representation:
    """A representation of a cohort's spots, read from its file.

    `values` is float32 (spots, features): an array or, for `raw`, a CSR matrix. `obs` comes from
    `cohort.cohort_obs` or `described`. `spatial` is float64 (spots, 2) in pixels. `transductive`
    states whether it was fitted on these spots, `spatial_method` whether it uses a spot's
    neighbours.
    """

    name: str
    values: np.ndarray | sp.csr_matrix
    obs: pd.DataFrame
    spatial: np.ndarray
    transductive: bool
    spatial_method: bool

    def described(self, rows: Sequence[Mapping], labels: str | Path | None) -> "Representation":
        """Return a copy with `obs` from `cohort.describe_spots`, which takes these arguments."""
        return replace(self, obs=describe_spots(self.obs, rows, labels))

    def centred(self) -> np.ndarray:
        """Return the values minus the mean of their sample: dense float32 (spots, features).

        MOFA centres its groups by default, which removes the means of samples. This does the same
        for any representation. A centred `raw` is dense.
        """
        return centre(self.values, self.obs["sample"].to_numpy())


def centre(values: np.ndarray | sp.csr_matrix, samples: np.ndarray) -> np.ndarray:
    """Subtract sample means from values (spots, features); `samples` names each row's sample."""
    dense = values.copy() if isinstance(values, np.ndarray) else values.toarray()
    for sample in pd.unique(samples):
        rows = samples == sample
        dense[rows] -= dense[rows].mean(axis=0, dtype=np.float64).astype(dense.dtype)
    return dense


def write_representation(
    path: str | Path,
    name: str,
    cohort: Cohort,
    values: np.ndarray | sp.csr_matrix | Iterable[np.ndarray],
    facts: Mapping[str, bool | int | str],
) -> None:
    """Write `obsm['X_{name}']` (spots, features; float32) with the cohort's `obs` and coordinates.

    Parameters
    ----------
    values
        Values in the order of the cohort's samples: a whole matrix, or consecutive blocks of rows,
        held one at a time.
    facts
        Facts stored in `uns['representation']`: method, transductive, spatial, ...

    Raises
    ------
    ValueError
        If the number of rows differs from the cohort's number of spots, or a value is not finite.
    """
    obs, spatial = cohort_obs(cohort.samples), cohort_spatial(cohort.samples)
    with atomic(path) as temporary:
        with h5_image(temporary) as file:
            write_skeleton(file, obs)
            write_matrix(file["obsm"], "spatial", spatial)
            write_facts(file["uns"], "representation", {"name": name, **facts})
            if isinstance(values, sp.spmatrix | sp.sparray):
                _check_rows(name, values.shape[0], len(obs))
                _check_finite(name, values.data, 0)
                write_matrix(file["obsm"], f"X_{name}", values)
                return
        blocks = [values] if isinstance(values, np.ndarray) else values
        _append_blocks(temporary, name, blocks, len(obs))


def _append_blocks(path: Path, name: str, blocks: Iterable[np.ndarray], n_spots: int) -> None:
    """Append dense rows, one block at a time, to an existing h5ad file."""
    done, data = 0, None
    with h5py.File(path, "r+") as file:
        for block in blocks:
            _check_finite(name, block, done)
            if data is None:
                require_space(path, 4 * n_spots * block.shape[1])
                shape = (n_spots, block.shape[1])
                data = file["obsm"].create_dataset(f"X_{name}", shape, np.float32)
                data.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
            if done + len(block) <= n_spots:
                data[done : done + len(block)] = block
            done += len(block)
    _check_rows(name, done, n_spots)


def _check_finite(name: str, values: np.ndarray, first_row: int) -> None:
    if not np.isfinite(values).all():
        raise ValueError(f"representation `{name}`: not a number in the rows from {first_row} on")


def _check_rows(name: str, rows: int, n_spots: int) -> None:
    if rows != n_spots:
        raise ValueError(f"representation `{name}`: {rows} rows for {n_spots} spots")


def read_representation(path: str | Path) -> Representation:
    """Read a representation.

    Raises
    ------
    InputError
        If the file was not written by `write_representation`, or a value is not finite.
    """
    with as_h5ad(path), h5py.File(path) as file:
        facts = facts_in(file["uns/representation"]) if "uns/representation" in file else {}
        name = facts.get("name", "")
        if f"obsm/X_{name}" not in file:
            raise InputError(f"{path}: has no representation. Fix: remove it and run again.")
        values = _read_values(file[f"obsm/X_{name}"])
        obs, spatial = _read_obs(file["obs"]), file["obsm/spatial"][:]
    if not np.isfinite(values.data if sp.issparse(values) else values).all():
        raise InputError(
            f"{path}: representation `{name}` has values that are not numbers. Fix: remove it and "
            "run again."
        )
    return Representation(
        name=name,
        values=values,
        obs=obs,
        spatial=spatial,
        transductive=bool(facts["transductive"]),
        spatial_method=bool(facts["spatial"]),
    )


def _read_values(stored: h5py.Dataset | h5py.Group) -> np.ndarray | sp.csr_matrix:
    """Read a matrix of an h5ad file, dense or CSR."""
    if isinstance(stored, h5py.Dataset):
        return stored[:]
    parts = (stored["data"][:], stored["indices"][:], stored["indptr"][:])
    return sp.csr_matrix(parts, shape=tuple(stored.attrs["shape"]))


def _read_obs(stored: h5py.Group) -> pd.DataFrame:
    """Read the columns of `cohort.cohort_obs` from a file."""
    columns = {name: text_in(stored[name]) for name in ("sample", "spot")}
    return pd.DataFrame(columns, index=names_in(stored)).astype({"sample": "category"})


def require_same_spots(expected: pd.Index, found: pd.Index, path: str | Path) -> None:
    """Check that two tables of a cohort list the same spots in the same order.

    Raises
    ------
    InputError
        If they differ, so that their rows cannot be joined.
    """
    if not expected.equals(found):
        raise InputError(
            f"{path}: its spots are not those of the cohort, or in another order. Fix: remove it "
            "and run again."
        )
