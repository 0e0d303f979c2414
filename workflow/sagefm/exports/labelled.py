"""Read sections, labels and patients from an AnnData into the tables used by each chapter."""

from collections.abc import Sequence
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData

from sagefm.cohorts.positions import check_spatial
from sagefm.common.errors import InputError, hint
from sagefm.common.h5ad import read_h5ad
from sagefm.exports.prepared import column_of, section_rows, spatial_of
from sagefm.representations.files import Representation

SECTION = "section"
"""Column of `obs` that names each spot's file, if several files are read."""


def read_sections(
    paths: Sequence[str | Path], library_key: str | None = None
) -> tuple[AnnData, str | None]:
    """Read one or more h5ad files as one AnnData, and return it with its `library_key`.

    Genes that a section lacks are 0 there. Each of several files is one section, unless
    `library_key` names a column that they all have.

    Raises
    ------
    InputError
        If a file cannot be read as h5ad, or if two files have the same name.
    """
    files = [Path(path) for path in paths]
    for file in files:
        if not file.is_file():
            raise InputError(f"{file}: there is no such file. Fix: correct its path.")
    parts = [read_h5ad(file) for file in files]
    if len(parts) == 1:
        return parts[0], library_key
    names = [file.stem for file in files]
    if twice := {name for name in names if names.count(name) > 1}:
        raise InputError(
            f"two files are named {min(twice)}.h5ad, so their sections would have the same name. "
            "Fix: rename one of them."
        )
    joined = anndata.concat(
        dict(zip(names, parts, strict=True)),
        join="outer", merge="first", label=SECTION, index_unique=":", fill_value=0,
    )  # fmt: skip
    return joined, library_key or SECTION


def texts_of(adata: AnnData, key: str, argument: str) -> pd.Series:
    """Read `prepared.column_of` as text, with empty values as missing."""
    text = column_of(adata, key, argument).astype(object).map(str, na_action="ignore")
    return text.where(text != "")


def embedding_of(adata: AnnData, key: str, remedy: str) -> np.ndarray:
    """Read an embedding from `obsm`: dense float32 (spots, features).

    Raises
    ------
    InputError
        If the key does not exist; `remedy` is the message's fix.
    """
    if key not in adata.obsm:
        raise InputError(f"there is no obsm['{key}']. Fix: {remedy}; {hint(key, adata.obsm)}")
    own = adata.obsm[key]
    return np.asarray(own.toarray() if sp.issparse(own) else own, dtype=np.float32)


def spots_of(
    adata: AnnData, *, label: str | None, patient: str | None, library_key: str | None
) -> pd.DataFrame:
    """Table of an AnnData's spots: sample, patient, spot, x_pixels, y_pixels, and label if named.

    Without a column of patients, each section counts as a patient.

    Raises
    ------
    InputError
        If a column or coordinates are missing, a spot has no patient, or no spot has a label.
    """
    places = AnnData(obs=pd.DataFrame(index=adata.obs_names), obsm={"spatial": spatial_of(adata)})
    check_spatial(places, Path("AnnData"))
    sample = np.full(adata.n_obs, "", dtype=object)
    for name, rows in section_rows(adata, library_key).items():
        sample[rows] = name or "section"
    table = pd.DataFrame(
        {"sample": sample, "patient": sample, "spot": [*map(str, adata.obs_names)]}
    )
    if patient is not None:
        named = texts_of(adata, patient, "patient")
        if named.isna().any():
            raise InputError(
                f"obs['{patient}'] is missing for {named.isna().sum()} of {adata.n_obs} spots. "
                "Fix: give each spot its patient, or leave these out."
            )
        table["patient"] = named.to_numpy()
    table["x_pixels"], table["y_pixels"] = np.asarray(places.obsm["spatial"], dtype=float).T
    if label is not None:
        labels = texts_of(adata, label, "label")
        if labels.isna().all():
            raise InputError(f"no spot has a label in obs['{label}']. Fix: name another column.")
        table["label"] = labels.to_numpy()
    return table


def representation_of(
    name: str,
    values: np.ndarray,
    spots: pd.DataFrame,
    *,
    transductive: bool = False,
    spatial: bool = True,
) -> Representation:
    """Build a `Representation` from values (spots, features) and the table of `spots_of`."""
    columns = [name for name in ("sample", "spot", "patient", "label") if name in spots]
    obs = spots[columns].set_index(spots["sample"] + ":" + spots["spot"])
    return Representation(
        name=name,
        values=values,
        obs=obs.rename_axis(None),
        spatial=spots[["x_pixels", "y_pixels"]].to_numpy(),
        transductive=transductive,
        spatial_method=spatial,
    )
