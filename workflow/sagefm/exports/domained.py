"""Tissue domains: clusters shared by several sections, their number and their markers."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData

from sagefm.clustering.graph import kmeans, rotate
from sagefm.clustering.stability import NUMBERS, stability_table, stable_number
from sagefm.cohorts.counts import raw_counts
from sagefm.common.errors import InputError
from sagefm.exports.api import EMBEDDING
from sagefm.exports.labelled import embedding_of, spots_of
from sagefm.exports.prepared import matrix_of
from sagefm.representations.files import centre

DOMAIN, FOUND = "sagefm_domain", "sagefm_domains"

COMPONENTS = 50
"""Number of principal components of the embedding that are clustered."""

RESTARTS = 10
"""Number of starts of the final k-means. The most compact result is kept."""

MIN_SPOTS = 5
"""Minimum number of spots of a domain in a patient for their sum to enter the marker test."""

MIN_PATIENTS = 3
"""Minimum number of patients with the domain, and with another one, for a marker test."""


def domains(
    adata: AnnData,
    *,
    obsm: str = EMBEDDING,
    patient: str | None = None,
    library_key: str | None = None,
    layer: str | None = None,
    numbers: Sequence[int] = NUMBERS,
    centred: bool = False,
    seed: int = 0,
) -> AnnData:
    """Find tissue domains shared across sections, their number and their marker genes.

    All sections are clustered together. Writes `obs["sagefm_domain"]` (`1` is the largest domain;
    names are the same in all sections) and `uns["sagefm_domains"]`: `number`, `stability` (a table
    by number of clusters), `markers` (a table: domain, gene, score, log2_fold_change, p, q; at most
    50 genes per domain) and `note` (which domains have no markers, and why).

    Parameters
    ----------
    adata
        Sections with raw counts and an embedding.
    obsm
        Key of the embedding in `obsm`.
    patient
        Column of `obs` that names each spot's patient. If not given, each section counts as a
        patient.
    library_key
        Column of `obs` that names each spot's section.
    layer
        Layer that holds the raw counts. Default: `X`.
    numbers
        Numbers of clusters to try. The largest number whose clusters are reproduced from other
        spots and seeds is chosen. A single number is used as it is.
    centred
        Whether to subtract each section's mean first. This reduces differences between sections,
        including those in tissue composition.
    seed
        Seed of the random parts and of k-means, and so of the names.

    Returns
    -------
    AnnData
        `adata` itself.

    Raises
    ------
    InputError
        If the embedding, the counts or a column is missing, or if there are too few spots.

    Examples
    --------
    >>> adata = sagefm.domains(sagefm.embed(adata, model), numbers=[2, 3, 4])
    >>> adata.obs["sagefm_domain"].cat.categories[0]
    '1'
    """
    values = embedding_of(adata, obsm, "embed the sections first, or correct `obsm`")
    counts, place = matrix_of(adata, layer)
    spots = spots_of(adata, label=None, patient=patient, library_key=library_key)
    if centred:
        values = centre(values, spots["sample"].to_numpy())
    values = rotate(values)[:, :COMPONENTS]
    stability = stability_table(values, numbers, seed=seed)
    if stability.empty:
        raise InputError(
            f"{len(values)} spots are too few for {min(numbers, default=0)} domains. Fix: choose "
            "smaller `numbers`, of 2 or more, or add sections."
        )
    number = stable_number(stability)
    clusters = kmeans(values, number, RESTARTS, seed)
    order = np.argsort(-np.bincount(clusters, minlength=number), kind="stable")
    names = [str(rank + 1) for rank in range(number)]
    ranks = np.argsort(order)
    matrix = raw_counts(counts, place, "Fix: give the raw counts there, or name their layer.")
    domain = pd.Categorical.from_codes(ranks[clusters], names)
    markers, note = domain_markers(matrix, adata.var_names, domain, spots["patient"].to_numpy())
    adata.obs[DOMAIN] = domain
    adata.uns[FOUND] = {
        "number": number,
        "stability": stability,
        "markers": markers,
        "note": note,
    }
    return adata


def domain_markers(
    counts: sp.csr_matrix, genes: Sequence[str], domain: pd.Categorical, patients: np.ndarray
) -> tuple[pd.DataFrame, str]:
    """Test which genes are higher in a domain than in the rest, with patients as samples.

    Counts are summed over a patient's spots of a domain, scaled to 10,000 and log(1 + x)
    transformed. scanpy's `rank_genes_groups` compares these sums with Welch's t-test and applies
    the Benjamini-Hochberg correction within each domain.

    Parameters
    ----------
    counts
        csr (spots, genes), raw counts.
    genes, domain, patients
        Gene names, and the domain and patient of each spot.

    Returns
    -------
    markers : DataFrame
        domain, gene, score, log2_fold_change, p, q; 50 genes per domain, highest score first.
    note : str
        Domains without markers because too few patients have them; empty if all have markers.
    """
    import scanpy

    groups = pd.DataFrame({"domain": domain.astype(str), "patient": patients})
    sizes = groups.groupby(["domain", "patient"]).size()
    kept = sizes.index[sizes >= MIN_SPOTS]
    number = kept.get_indexer(pd.MultiIndex.from_frame(groups))
    inside = number >= 0
    sums = sp.csr_matrix(
        (np.ones(inside.sum()), (number[inside], np.flatnonzero(inside))),
        shape=(len(kept), len(groups)),
    )
    obs = kept.to_frame(index=False).astype({"domain": "category"})
    obs.index = obs.index.astype(str)
    bulk = AnnData(np.asarray((sums @ counts).todense(), dtype=np.float32), obs=obs)
    bulk.var_names = [*map(str, genes)]
    bulk = bulk[:, np.asarray(bulk.X.sum(axis=0)).ravel() > 0].copy()
    columns = ["domain", "gene", "score", "log2_fold_change", "p", "q"]
    of_domain = obs["domain"].value_counts()
    tested = [
        name
        for name in domain.categories
        if of_domain.get(name, 0) >= MIN_PATIENTS
        and obs.loc[obs["domain"] != name, "patient"].nunique() >= MIN_PATIENTS
    ]
    left_out = [name for name in domain.categories if name not in tested]
    note = ""
    if left_out:
        note = (
            f"no markers of {', '.join(left_out)}: fewer than {MIN_PATIENTS} patients have "
            f"{MIN_SPOTS} spots of the domain, or of another"
        )
    if not tested:
        return pd.DataFrame(columns=columns), note
    scanpy.pp.normalize_total(bulk, target_sum=1e4)
    scanpy.pp.log1p(bulk)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.PerformanceWarning)
        scanpy.tl.rank_genes_groups(bulk, "domain", groups=tested, method="t-test", n_genes=50)
    table = scanpy.get.rank_genes_groups_df(bulk, group=tested)
    if "group" not in table:  # scanpy omits the column if there is only one group
        table.insert(0, "group", tested[0])
    return table.set_axis(columns, axis=1).astype({"domain": str}), note
