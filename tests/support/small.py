"""Small real sections on disk: a patch of a bundled section, its most abundant genes, a graph."""

from functools import cache
from pathlib import Path

import anndata
import numpy as np
import scipy.sparse as sp

from sagefm.common.h5ad import write_h5ad
from sagefm.graphs.neighbourhoods import build_graph, save_graph
from sagefm.sections.section import Section, sections_of
from support import helpers

SAMPLES = ("heart-1", "heart-2", "heart-3", "SPA147")
WIDTHS = (16, 8, 8, 8, 16)
KNN = {"kind": "knn_clique", "size": 15}


@cache
def _sources() -> dict[str, anndata.AnnData]:
    """The bundled sections on their common genes, most abundant first."""
    sections = {sample: helpers.demo_section(sample) for sample in SAMPLES}
    common = set.intersection(*(set(section.var_names) for section in sections.values()))
    first = sections[SAMPLES[0]]
    totals = np.asarray(first.X.sum(axis=0), dtype=np.int64).ravel()
    genes = [g for g in first.var_names[np.argsort(-totals, kind="stable")] if g in common]
    return {sample: section[:, genes].copy() for sample, section in sections.items()}


def patch(sample: str = "heart-1", spots: int = 40, genes: int = 120) -> anndata.AnnData:
    """Cut out the spots nearest to a section's middle, with its most abundant genes."""
    section = _sources()[sample]
    middle = np.median(section.obsm["spatial"], axis=0)
    distance = np.linalg.norm(section.obsm["spatial"] - middle, axis=1)
    rows = np.sort(np.argsort(distance, kind="stable")[:spots])
    cut = section[rows, :genes].copy()
    cut.X = sp.csr_matrix(cut.X, dtype=np.int32)
    return cut


def write_sections(
    folder: Path, samples=SAMPLES[:3], spots: int = 40, genes: int = 120, **spec
) -> list[Section]:
    """Write patches of the sections with their graphs. Default graph: `knn_clique` of 15."""
    paths, graphs = [], []
    for sample in samples:
        section = patch(sample, spots, genes)
        graph = build_graph(
            section.obsm["spatial"],
            **(spec or KNN),
            array=section.obs[["array_row", "array_col"]].to_numpy(),
            technology="Spatial Transcriptomics",
        )
        paths.append(folder / f"samples/demo/{sample}.h5ad")
        graphs.append(folder / f"graphs/demo/{sample}.npz")
        write_h5ad(section, paths[-1])
        save_graph(graph, graphs[-1])
    return sections_of(paths, graphs)


def normalised(counts: np.ndarray, how: str, hidden: np.ndarray | None = None) -> np.ndarray:
    """Normalise by definition: dense (spots, genes), with genes hidden (bool) before scaling."""
    counts = np.asarray(counts, dtype=float)
    seen = counts if hidden is None else np.where(hidden, 0, counts)
    if how == "log1p":
        return np.log1p(seen).astype(np.float32)
    share = 1.0 if hidden is None else 1 - hidden.mean(axis=1, keepdims=True)
    return np.log1p(1e4 * share * seen / np.maximum(seen.sum(axis=1, keepdims=True), 1)).astype(
        np.float32
    )
