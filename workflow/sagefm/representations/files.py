"""Representations of a cohort: one file each, spots x features in `obsm`, section after section."""

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

    `values` is float32 (spots, features), an array or, for `raw`, a csr matrix; `obs` is of
    `cohort.cohort_obs`, or of `described`; `spatial` float64 (spots, 2) pixels. `transductive` says
    whether it was fitted on these very spots, `spatial_method` whether a spot's neighbours enter.
    """

    name: str
    values: np.ndarray | sp.csr_matrix
    obs: pd.DataFrame
    spatial: np.ndarray
    transductive: bool
    spatial_method: bool

    def described(self, rows: Sequence[Mapping], labels: str | Path | None) -> "Representation":
        """The same with `obs` of `cohort.describe_spots`, whose arguments these are."""
        return replace(self, obs=describe_spots(self.obs, rows, labels))

    def centred(self) -> np.ndarray:
        """The values less their sample's mean: dense float32 (spots, features).

        MOFA centres its groups by default, which takes the means of samples away; the same is here
        to be had for every representation. A centred `raw` is dense.
        """
        return centre(self.values, self.obs["sample"].to_numpy())


def centre(values: np.ndarray | sp.csr_matrix, samples: np.ndarray) -> np.ndarray:
    """Values (spots, features) less the mean of their sample; `samples` names each row's."""
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
        In the order of the cohort's samples: a whole matrix, or consecutive blocks of rows, held
        one at a time.
    facts
        What is said of it, kept in `uns['representation']`: method, transductive, spatial, ...

    Raises
    ------
    ValueError
        If there are more or fewer rows than the cohort has spots, or a value is not finite.
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
    """Write dense rows, a block at a time, into an h5ad that is there already."""
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
        If the file is not one of `write_representation`, or a value is not finite.
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
    """A matrix of an h5ad, dense or csr."""
    if isinstance(stored, h5py.Dataset):
        return stored[:]
    parts = (stored["data"][:], stored["indices"][:], stored["indptr"][:])
    return sp.csr_matrix(parts, shape=tuple(stored.attrs["shape"]))


def _read_obs(stored: h5py.Group) -> pd.DataFrame:
    """`cohort.cohort_obs` of a file."""
    columns = {name: text_in(stored[name]) for name in ("sample", "spot")}
    return pd.DataFrame(columns, index=names_in(stored)).astype({"sample": "category"})


def require_same_spots(expected: pd.Index, found: pd.Index, path: str | Path) -> None:
    """Check that two tables of a cohort list the same spots in the same order.

    Raises
    ------
    InputError
        If not: their rows must not be put side by side.
    """
    if not expected.equals(found):
        raise InputError(
            f"{path}: its spots are not those of the cohort, or in another order. Fix: remove it "
            "and run again."
        )
