"""Read and write parts of an h5ad without importing anndata, which takes a second.

Many jobs need no longer than that for their work. The format is anndata's:
https://anndata.readthedocs.io/en/stable/fileformat-prose.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

from sagefm.common.h5ad import COMPRESSION, names_in, text_in

PARTS = ("layers", "obsm", "obsp", "uns", "varm", "varp")
"""Groups of every h5ad, in addition to its two tables."""


def frame_in(stored: h5py.Group, columns: Iterable[str]) -> pd.DataFrame:
    """Read those of the named columns that a table has, with its row names."""
    found = {name: _column_in(stored[name]) for name in columns if name in stored}
    return pd.DataFrame(found, index=pd.Index(names_in(stored)))


def _column_in(stored: h5py.Dataset | h5py.Group) -> Any:
    kind = stored.attrs.get("encoding-type", "array")
    if kind == "array":
        return stored[:]
    if kind in ("string-array", "categorical"):
        return text_in(stored)
    from anndata.io import read_elem  # rarely needed, such as for columns with missing integers

    return read_elem(stored)


def facts_in(stored: h5py.Group) -> dict[str, Any]:
    """Read a group of texts and numbers, such as a sample's provenance."""
    return {
        name: value.asstr()[()] if h5py.check_string_dtype(value.dtype) else value[()]
        for name, value in stored.items()
    }


def write_skeleton(file: h5py.File, obs: pd.DataFrame) -> None:
    """Write an h5ad without genes: the row table (text or categorical) and empty groups."""
    _mark(file, "anndata", "0.1.0")
    _write_frame(file, "obs", obs)
    _write_frame(file, "var", pd.DataFrame(index=pd.Index([], dtype=str)))
    for name in PARTS:
        _mark(file.create_group(name), "dict", "0.1.0")


def write_facts(parent: h5py.Group, name: str, facts: Mapping[str, bool | int | str]) -> None:
    """Write texts and numbers as a group, sorted by name."""
    group = _mark(parent.create_group(name), "dict", "0.1.0")
    for key, value in sorted(facts.items()):
        kind = "string" if isinstance(value, str) else "numeric-scalar"
        _mark(group.create_dataset(key, data=value), kind, "0.2.0")


def write_matrix(parent: h5py.Group, name: str, values: np.ndarray | sp.csr_matrix) -> None:
    """Write an array or a csr matrix, compressed."""
    if isinstance(values, np.ndarray):
        _mark(parent.create_dataset(name, data=values, **COMPRESSION), "array", "0.2.0")
        return
    group = _mark(parent.create_group(name), "csr_matrix", "0.1.0")
    group.attrs["shape"] = values.shape
    for part in ("data", "indices", "indptr"):
        group.create_dataset(part, data=getattr(values, part), maxshape=(None,), **COMPRESSION)


def _write_frame(parent: h5py.Group, name: str, frame: pd.DataFrame) -> None:
    group = _mark(parent.create_group(name), "dataframe", "0.2.0")
    group.attrs.update({"_index": "_index", "column-order": list(frame)})
    _write_text(group, "_index", frame.index)
    for column, values in frame.items():
        if isinstance(values.dtype, pd.CategoricalDtype):
            own = _mark(group.create_group(str(column)), "categorical", "0.2.0")
            own.attrs["ordered"] = bool(values.cat.ordered)
            write_matrix(own, "codes", values.cat.codes.to_numpy())
            _write_text(own, "categories", values.cat.categories)
        else:
            _write_text(group, str(column), values)


def _write_text(parent: h5py.Group, name: str, values: Iterable[str]) -> None:
    texts = np.asarray(list(values), dtype=object)
    _mark(
        parent.create_dataset(name, data=texts, dtype=h5py.string_dtype()), "string-array", "0.2.0"
    )


def _mark(element: Any, kind: str, version: str) -> Any:
    """Record the encoding of an element in its attributes."""
    element.attrs.update({"encoding-type": kind, "encoding-version": version})
    return element
