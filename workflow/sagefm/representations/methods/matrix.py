"""A matrix computed elsewhere, joined to the run's spots by sample and spot."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sagefm.common.errors import InputError, hint
from sagefm.representations.method import option

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import scipy.sparse as sp

    from sagefm.sections.cohort import Cohort

TITLE = "own matrix"

SPATIAL = True

TRANSDUCTIVE = True

SOURCE = "computed outside this workflow"

WITHHOLDS = False

FIX_NAMES = (
    "Fix: give `obs` the columns `sample` and `spot`, named as in the sheet and in the samples' "
    "files, or an index `sample:spot`."
)


@dataclass(frozen=True)
class Options:
    """Settings from the config."""

    h5ad: str | Mapping = option(MISSING, "File of the matrix, or a file for each cohort.")
    obsm: str = option(MISSING, "Key of the matrix in `obsm`.")
    spatial: bool = option(True, "Whether the matrix uses a spot's neighbours.")
    transductive: bool = option(True, "Whether it was fitted on the spots it represents.")


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray | sp.csr_matrix":
    """Return the matrix's rows (spots, features; float32) in the order of the cohort's samples.

    `options.h5ad` is the file of this cohort.

    Raises
    ------
    InputError
        If the file lacks spots of the cohort, or has one twice.
    """
    import h5py
    import numpy as np
    import pandas as pd
    import scipy.sparse as sp
    from anndata.io import read_elem

    from sagefm.sections.cohort import cohort_obs

    path, obs = str(options.h5ad), cohort_obs(cohort.samples)
    with h5py.File(path) as file:
        rows = _rows(path, spot_names(path, file["obs"]), obs)
        values = read_elem(file[f"obsm/{options.obsm}"])
    if sp.issparse(values):
        return sp.csr_matrix(values, dtype=np.float32)[rows]
    if isinstance(values, pd.DataFrame):
        values = values.to_numpy()
    return np.asarray(values[rows], dtype=np.float32)


def _rows(path: str, names: "pd.DataFrame", obs: "pd.DataFrame") -> "np.ndarray":
    """Return the row in the file of each spot of the cohort."""
    import pandas as pd

    found = pd.Index(names["sample"] + ":" + names["spot"])
    if not found.is_unique:
        sample, spot = names[found.duplicated()].iloc[0]
        raise InputError(
            f"{path} names spot `{spot}` of sample `{sample}` twice. Fix: keep one row for each."
        )
    rows = found.get_indexer(obs.index)
    lacking = obs["sample"][rows < 0].astype(str).value_counts(sort=False)
    if len(lacking):
        totals = obs["sample"].value_counts()
        words = ", ".join(
            f"{number:,} of {totals[sample]:,} spots of sample `{sample}`"
            for sample, number in lacking.items()
        )
        first = obs.index[rows < 0][0]
        raise InputError(
            f"{path} lacks {words} (the first is `{first}`; the file has `{found[0]}`). Fix: add a "
            "row for every spot that the run kept, with the barcode of the sample's file."
        )
    return rows


def spot_names(path: str, obs: Mapping) -> "pd.DataFrame":
    """Return columns sample and spot, as text, from the `obs` of an open h5ad file.

    Raises
    ------
    InputError
        If it has neither these columns nor an index `sample:spot`.
    """
    import pandas as pd
    from anndata.io import read_elem

    if {"sample", "spot"} <= set(obs):
        names = {key: pd.Series(read_elem(obs[key])) for key in ("sample", "spot")}
        return pd.DataFrame({key: own.astype(str).to_numpy() for key, own in names.items()})
    index = pd.Series(read_elem(obs[obs.attrs["_index"]])).astype(str)  # type: ignore[attr-defined]
    parts = index.str.partition(":")
    if not len(index) or not (parts[1] == ":").all():
        given = f"`{index.iloc[0]}`" if len(index) else "no row"
        raise InputError(f"{path} does not name samples and spots (it has {given}). {FIX_NAMES}")
    return pd.DataFrame({"sample": parts[0], "spot": parts[2]})


def check(options: Options, cohort: str, samples: Sequence[str]) -> None:
    """Check, before any job, that the file has the matrix and rows for every sample of a cohort.

    Parameters
    ----------
    options
        Options; `h5ad` is the file of this cohort.
    cohort, samples
        Name of the cohort and its samples in the sheet.

    Raises
    ------
    InputError
        If the matrix or rows are missing, or the file cannot be read.
    """
    import h5py

    path, obsm = str(options.h5ad), options.obsm
    if not Path(path).is_file():
        raise InputError(
            f"{path} does not exist (looked from {Path.cwd()}). Fix: correct the path."
        )
    try:
        with h5py.File(path) as file:
            there = list(file.get("obsm", {}))
            if obsm not in there:
                raise InputError(f"{path} has no `obsm` `{obsm}`; {hint(obsm, there)}.")
            shape = _shape(file["obsm"][obsm])
            names = spot_names(path, file["obs"])
    except (OSError, KeyError) as error:
        raise InputError(
            f"{path} cannot be read as an h5ad ({error}). Fix: write it with AnnData.write_h5ad."
        ) from error
    if len(shape) != 2 or not shape[1]:
        raise InputError(
            f"{path}, `obsm` `{obsm}`, has shape {shape}. Fix: store (spots, features)."
        )
    if missing := [sample for sample in samples if sample not in set(names["sample"])]:
        raise InputError(
            f"{path} has no spot of {len(missing)} of {len(samples)} samples of cohort `{cohort}` "
            f"({', '.join(missing[:3])}; it has {', '.join(names['sample'].unique()[:3])}). "
            f"{FIX_NAMES}"
        )


def _shape(node) -> tuple[int, ...]:
    """Return the shape of a dataset, or of a group with a sparse matrix or a table."""
    if hasattr(node, "shape"):
        return tuple(node.shape)
    if "shape" in node.attrs:
        return tuple(map(int, node.attrs["shape"]))
    columns = list(node.attrs.get("column-order", []))
    return (len(node[node.attrs["_index"]]), len(columns))
