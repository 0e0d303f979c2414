"""Reading and writing parts of an h5ad agrees with anndata."""

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sagefm.common.elements import (
    facts_in,
    frame_in,
    write_facts,
    write_matrix,
    write_skeleton,
)
from sagefm.common.h5ad import h5_image, write_h5ad

FACTS = {"name": "Ä", "spatial": True, "withheld_genes": 3}


def frame() -> pd.DataFrame:
    spots = pd.DataFrame({"sample": ["b", "a", "b"], "spot": ["1", "2", "3"]}, index=[*"xyz"])
    return spots.astype({"sample": "category"})


def described(path) -> dict:
    """Every element of a file: its attributes and its values."""
    found = {}

    def add(name, element):
        values = element[()] if getattr(element, "shape", None) is not None else ()
        attributes = {key: np.asarray(value).tolist() for key, value in element.attrs.items()}
        found[name] = (attributes, np.asarray(values).tolist())

    with h5py.File(path) as file:
        file.visititems(add)
        add("", file)
    return found


@pytest.mark.parametrize("matrix", [np.eye(3, dtype=np.float32), sp.eye(3, format="csr")])
def test_a_file_is_what_anndata_writes(tmp_path, matrix):
    theirs, ours = tmp_path / "theirs.h5ad", tmp_path / "ours.h5ad"
    obsm = {"spatial": np.arange(6.0).reshape(3, 2), "X_x": matrix}
    write_h5ad(anndata.AnnData(obs=frame(), obsm=obsm, uns={"facts": FACTS}), theirs)
    with h5_image(ours) as file:
        write_skeleton(file, frame())
        write_facts(file["uns"], "facts", FACTS)
        for name, values in obsm.items():
            write_matrix(file["obsm"], name, values)
    expected = described(theirs)
    expected.pop("raw", None)  # which no version of anndata needs
    assert described(ours) == expected
    read = anndata.read_h5ad(ours)
    pd.testing.assert_frame_equal(read.obs, frame())
    assert read.uns["facts"] == FACTS


def test_a_table_is_read_as_by_anndata(tmp_path):
    table = frame().assign(
        number=[1.5, np.nan, 3], whole=[1, 2, 3], missing=pd.array([1, None, 3], "Int64")
    )
    write_h5ad(anndata.AnnData(obs=table, uns={"facts": FACTS}), tmp_path / "x.h5ad")
    with h5py.File(tmp_path / "x.h5ad") as file:
        found = frame_in(file["obs"], ["missing", "whole", "not_there", "number", "spot"])
        assert facts_in(file["uns/facts"]) == FACTS
    pd.testing.assert_frame_equal(found, table[["missing", "whole", "number", "spot"]])
