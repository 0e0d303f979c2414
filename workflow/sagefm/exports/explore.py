"""Export a cohort as one AnnData for scanpy, squidpy, cellxgene and other viewers."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData
from anndata.io import read_elem

from sagefm.annotation.terms import headline_protocol
from sagefm.cohorts.images import blank_image
from sagefm.graphs.neighbourhoods import spot_spacing
from sagefm.plotting.style import colours_of
from sagefm.representations.files import Representation, require_same_spots
from sagefm.sections.cohort import Cohort, describe_spots

OF_SPOTS = ("in_tissue", "array_row", "array_col", "n_counts", "n_genes", "mito_share")
"""Columns of a sample's `obs` that are exported if all samples have them."""

ORACLE = "leiden_best"
"""Clusters at the resolution that agrees best with the labels. Not exported, as it uses labels."""

MOST_COLUMNS = 30
"""Maximum number of columns of `obs`, so that a viewer's list stays readable."""

GAP = 1.15
"""Distance between sections in the joint layout, in multiples of the largest section's size."""


def explore_cohort(
    cohort: Cohort,
    rows: Sequence[Mapping],
    labels: str | Path | None,
    representations: Iterable[Representation],
    clusters: Mapping[str, pd.DataFrame],
    predictions: Mapping[str, Mapping[str, pd.DataFrame]],
    classifiers: Mapping[str, str],
    umap: pd.DataFrame | None = None,
    palette: Mapping[str, str] | None = None,
    headline: str | None = None,
) -> AnnData:
    """Collect all results on a cohort's spots in one AnnData.

    Parameters
    ----------
    rows, labels
        As for `cohort.describe_spots`.
    representations
        The cohort's representations, read one at a time.
    clusters
        Tables of `cluster.cluster_representation`, by representation.
    predictions
        Tables of `predict.annotate_task`, or of `Reference.classify` for a cohort without labels,
        by task and representation.
    classifiers
        Name of the classifier whose predictions are exported, by task.
    umap
        Table of `umap.umap_table`. Spots that are not in it have no coordinates.
    palette
        The report's colours of labels and patients, from `palette.palette_of`. Other classes get
        other colours.
    headline
        Name of the representation whose columns come first in `obs`.

    Returns
    -------
    AnnData
        `X`: csr float32 (spots, genes), raw counts. `layers['log1p']`: their log(1 + x), not scaled
        by depth. `var['n_sections']`: number of sections that measured each gene.
        `obs`: columns of `cohort.describe_spots`, `OF_SPOTS`, representations with a single
        feature, and the classes of each task as `{task}` (labelled cohorts only). Columns of each
        representation follow, the headline first, up to `MOST_COLUMNS` in all:
        `kmeans_cohort_{representation}`, domains of all sections together, so that a name means
        the same in each; `{task}_{representation}`, the class predicted while the spot was held
        out; `{task}_{representation}_probability`, its probability.
        `obsm`: `clusters` (`{kind}_{scope}_{representation}`) and `classes`
        (`{task}_{representation}`), tables of all clusters and classes;
        `probabilities_{task}_{representation}`, float32 (spots, classes), whose classes are
        `uns['classes'][task]`; `spatial` (pixels of each section); `X_spatial` (all sections side
        by side, in spot spacings, y upwards); `X_{representation}`, except for a sparse one, which
        is `X`; and `X_umap_{representation}`.
        `uns['spatial'][sample]`: the section's image (blank if it has none) and its scale.
        `uns['{column}_colors']`: colours of the classes.

    Raises
    ------
    InputError
        If a representation has other spots than the cohort.
    """
    adata = cohort.counts()
    adata.obs = describe_spots(adata.obs, rows, labels)
    adata.X = adata.X.astype(np.float32)
    adata.layers["log1p"] = adata.X.log1p()
    adata.var["n_sections"], spots, libraries = _of_samples(cohort.samples)
    for name in spots:
        adata.obs[name] = spots[name].to_numpy()
    adata.uns["spatial"] = libraries
    adata.obsm["X_spatial"] = side_by_side(adata.obsm["spatial"], adata.obs["sample"].to_numpy())
    for representation in representations:
        _add_representation(adata, representation)
    for name, table in (umap if umap is not None else pd.DataFrame({"representation": []})).groupby(
        "representation", sort=False
    ):
        adata.obsm[f"X_umap_{name}"] = _on_spots(
            table[["umap_1", "umap_2"]], table, adata
        ).to_numpy(np.float32)
    if clusters:
        adata.obsm["clusters"] = _clusters(adata, clusters)
    palette = palette or {}
    _add_tasks(adata, predictions, classifiers)
    names = [*dict.fromkeys([*clusters, *(name for own in predictions.values() for name in own)])]
    for name in sorted(names, key=lambda name: name != headline):
        _show(adata, name, [*predictions])
    for task in predictions:
        own = [task, *(f"{task}_{name}" for name in names)]
        _colour(adata, [column for column in own if column in adata.obs], palette)
    for column in ("label", "patient"):
        if column in adata.obs:
            _colour(adata, [column], palette)
    return adata


def side_by_side(spatial: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Lay out all sections in one plane: float32 (spots, 2), in spot spacings, y upwards.

    Parameters
    ----------
    spatial
        (spots, 2), x and y in full-resolution pixels of each spot's section, y downwards.
    samples
        Section of each spot.
    """
    names = pd.unique(samples)
    plane, size = np.empty(spatial.shape, dtype=np.float32), 0.0
    for name in names:
        inside = samples == name
        own = (spatial[inside] - spatial[inside].min(axis=0)) / spot_spacing(spatial[inside])
        plane[inside] = own
        size = max(size, own.max())
    columns = int(np.ceil(np.sqrt(len(names))))
    for number, name in enumerate(names):
        plane[samples == name] += np.array(divmod(number, columns)[::-1]) * max(size, 1) * GAP
    return plane * np.array([1, -1], dtype=np.float32)


def _of_samples(paths: Iterable[Path]) -> tuple[np.ndarray, pd.DataFrame, dict[str, dict]]:
    """Read the number of sections with each gene, the shared `OF_SPOTS`, and the images."""
    measured, tables, libraries = [], [], {}
    for path in paths:
        with h5py.File(path) as file:
            obs, var = read_elem(file["obs"]), read_elem(file["var"])
            library = read_elem(file["uns/spatial"]) if "uns/spatial" in file else {}
            spatial = file["obsm/spatial"][:]
        name = path.stem
        measured.append(var["in_source"].to_numpy())
        tables.append(obs[[column for column in OF_SPOTS if column in obs]])
        blank = blank_image(spatial, spot_spacing(spatial))
        libraries[name] = library.get(name, blank)
        libraries[name]["scalefactors"] = blank["scalefactors"] | libraries[name]["scalefactors"]
    return np.sum(measured, axis=0), pd.concat(tables, join="inner", ignore_index=True), libraries


def _add_representation(adata: AnnData, representation: Representation) -> None:
    name = representation.name
    require_same_spots(adata.obs_names, representation.obs.index, f"representation `{name}`")
    if sp.issparse(representation.values):
        return
    if representation.values.shape[1] == 1:  # viewers need two columns or more
        adata.obs[name] = representation.values[:, 0]
    else:
        adata.obsm[f"X_{name}"] = representation.values


def _clusters(adata: AnnData, clusters: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Table of all clusters except the oracle's, `{kind}_{scope}_{representation}`."""
    found = {}
    for name, table in clusters.items():
        for kind in table:
            if kind.startswith(("kmeans", "leiden")) and ORACLE not in kind:
                found[f"{kind}_{name}"] = _on_spots(table[kind], table, adata).astype("category")
    return pd.DataFrame(found, index=adata.obs_names)


def _add_tasks(
    adata: AnnData,
    predictions: Mapping[str, Mapping[str, pd.DataFrame]],
    classifiers: Mapping[str, str],
) -> None:
    """Add the classes of each task, and each representation's held-out predictions."""
    classes: dict[str, pd.Series] = {}
    for task, found in predictions.items():
        for name, table in found.items():
            own = held_out(table, name, classifiers[task])
            if own.empty:  # no fold could be trained
                continue
            shares = own.filter(regex="^p_")
            if "truth" in own:  # the cohort is labelled
                adata.obs[task] = _on_spots(own["truth"], own, adata).astype("category")
            predicted = _on_spots(own["predicted"], own, adata)
            classes[f"{task}_{name}"] = predicted.astype("category")
            adata.obsm[f"probabilities_{task}_{name}"] = (
                _on_spots(shares, own, adata).to_numpy().astype(np.float32)
            )
            known = np.array([column.removeprefix("p_") for column in shares], dtype=object)
            adata.uns.setdefault("classes", {})[task] = known
    if classes:
        adata.obsm["classes"] = pd.DataFrame(classes, index=adata.obs_names)


def _show(adata: AnnData, name: str, tasks: Iterable[str]) -> None:
    """Copy a representation's domains and predictions into `obs`, if all of them fit."""
    columns = {}
    domains = f"kmeans_cohort_{name}"
    if domains in adata.obsm.get("clusters", ()):
        columns[domains] = adata.obsm["clusters"][domains]
    for task in tasks:
        predicted = f"{task}_{name}"
        if predicted in adata.obsm.get("classes", ()):
            columns[predicted] = adata.obsm["classes"][predicted]
            shares = adata.obsm[f"probabilities_{predicted}"]
            columns[f"{predicted}_probability"] = shares.max(axis=1)
    if adata.obs.shape[1] + len(columns) <= MOST_COLUMNS:
        for column, values in columns.items():
            adata.obs[column] = values


def held_out(table: pd.DataFrame, name: str, classifier: str) -> pd.DataFrame:
    """Select a classifier's held-out prediction of each spot, one row per spot.

    Parameters
    ----------
    table
        Table of `predict.annotate_task` for the representation `name`, or of `Reference.classify`.
        In the latter, spots below the confidence threshold get no class.
    """
    if table.empty:
        return table
    if "confident" in table:
        return table.assign(predicted=table["predicted"].where(table["confident"]))
    own = table[table["classifier"] == classifier]
    if own.empty:
        return own
    own = own[own["protocol"] == headline_protocol(own.assign(representation=name))]
    own = own[own["centred"] == own["centred"].iloc[0]]
    return own.drop_duplicates(["sample", "spot"])  # the first repeat


def _on_spots(values: pd.Series | pd.DataFrame, table: pd.DataFrame, adata: AnnData):
    """Reorder values to `adata`'s spots, by the table's columns sample and spot."""
    index = table["sample"].astype(str) + ":" + table["spot"].astype(str)
    return values.set_axis(pd.Index(index), axis=0).reindex(adata.obs_names)


def _colour(adata: AnnData, columns: Iterable[str], palette: Mapping[str, str]) -> None:
    """Write one colour per class, the same in all columns, where viewers look for it."""
    kept = dict.fromkeys(columns)
    classes = {name for column in kept for name in adata.obs[column].cat.categories}
    colours = colours_of(map(str, classes), palette)
    for column in kept:
        own = [colours[str(name)] for name in adata.obs[column].cat.categories]
        adata.uns[f"{column}_colors"] = np.array(own, dtype=object)
