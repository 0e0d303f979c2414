"""A cohort's harmonised samples together: what a representation is computed from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData
from anndata.io import read_elem

from sagefm.common.h5ad import read_h5ad
from sagefm.graphs.neighbourhoods import load_graph
from sagefm.sections.expression import normalise
from sagefm.sections.section import spot_positions
from sagefm.stats.patients import name_patients

FACTS = ("sample", "dataset", "patient", "organ", "disease_state")


@dataclass(frozen=True)
class Cohort:
    """Samples section after section, the order of every representation's rows.

    Parameters
    ----------
    samples
        Harmonised samples (h5ad).
    graphs
        One neighbourhood file a sample, in the samples' order; empty for methods that need none.
    withheld
        Genes taken out before anything is computed: those that a task's labels were made of.
    """

    samples: tuple[Path, ...]
    graphs: tuple[Path, ...] = ()
    withheld: frozenset[str] = frozenset()

    def sections(self) -> Iterator[AnnData]:
        """Each sample's raw counts (csr int32) without the withheld genes."""
        for path in self.samples:
            adata = read_h5ad(path)
            kept = ~adata.var_names.isin(self.withheld)
            adata.X = sp.csr_matrix(adata.X)
            yield adata if kept.all() else adata[:, kept].copy()

    def counts(self) -> AnnData:
        """All spots: raw counts (csr int32, spots x genes), `obs` of `cohort_obs`, `spatial`."""
        sections = list(self.sections())
        stacked = sp.csr_matrix(sp.vstack([section.X for section in sections], format="csr"))
        return AnnData(
            stacked,
            obs=cohort_obs(self.samples),
            var=pd.DataFrame(index=sections[0].var_names),
            obsm={"spatial": cohort_spatial(self.samples)},
        )

    def withheld_columns(self) -> tuple[int, ...]:
        """Where the withheld genes stand in the panel; those it lacks are passed over."""
        return tuple(int(column) for column in np.flatnonzero(self.panel().isin(self.withheld)))

    def panel(self) -> pd.Index:
        """The genes that all samples were harmonised to, withheld ones among them."""
        with h5py.File(self.samples[0]) as file:
            return pd.Index(read_elem(file["var"]).index)

    def expression(self, how: str) -> sp.csr_matrix:
        """Normalised expression of all spots: csr float32 (spots, genes)."""
        return self._stacked(normalise(section.X, how) for section in self.sections())

    def mean_operator(self) -> sp.csr_matrix:
        """Means over neighbourhoods: csr float32 (spots, spots), each row one, section by section.

        Times `expression`, on the paper's graph, it is what the paper's network is fed.
        """
        means = [load_graph(graph).mean_operator() for graph in self.graphs]
        return sp.csr_matrix(sp.block_diag(means, format="csr"))

    def _stacked(self, matrices: Iterator[sp.csr_matrix]) -> sp.csr_matrix:
        return sp.csr_matrix(sp.vstack(list(matrices), format="csr"), dtype=np.float32)


def cohort_of_files(
    samples: Sequence[str | Path],
    graphs: Sequence[str | Path] = (),
    withheld: Sequence[str | Path] = (),
) -> Cohort:
    """A cohort of files; `withheld` names at most one, with a gene a line."""
    genes = {gene for path in withheld for gene in Path(path).read_text().split()}
    return Cohort(
        tuple(map(Path, samples)),
        tuple(map(Path, graphs)),
        frozenset(genes),
    )


def cohort_obs(samples: tuple[Path, ...]) -> pd.DataFrame:
    """One row a spot of a cohort: index `{sample}:{spot}`, columns `FACTS`, spot and label.

    Text columns are categories, `patient` is that of `name_patients`, and `label` is there if any
    sample has labels.
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
    cohort["patient"] = name_patients(cohort)
    cohort.index = cohort["sample"] + ":" + cohort["spot"]
    return cohort.astype({column: "category" for column in cohort if column != "spot"})


def cohort_spatial(samples: tuple[Path, ...]) -> np.ndarray:
    """Coordinates of a cohort's spots: float64 (spots, 2), full-resolution pixels (x, y)."""
    return np.concatenate([spot_positions(path)[0] for path in samples])
