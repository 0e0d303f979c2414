"""A cohort's harmonised samples, from which representations are computed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

from sagefm.common.h5ad import names_in, read_h5ad
from sagefm.common.io import read_table
from sagefm.graphs.neighbourhoods import load_graph
from sagefm.sections.expression import normalise
from sagefm.sections.section import read_counts, spot_positions
from sagefm.stats.patients import name_patients

if TYPE_CHECKING:  # importing it takes seconds, so only functions that need it do
    from anndata import AnnData

FACTS = ("sample", "dataset", "patient", "organ", "disease_state")
"""Columns of a sheet that can describe spots."""


@dataclass(frozen=True)
class Cohort:
    """Samples in a fixed order, section by section, as in the rows of every representation.

    Parameters
    ----------
    samples
        Harmonised samples (h5ad).
    graphs
        One neighbourhood file per sample, in the samples' order; empty for methods that need none.
    withheld
        Genes removed before anything is computed: those from which a task's labels were made.
    rows, labels
        Rows of the cohort's sheet and the table of its labels, as in `describe_spots`, for methods
        whose `Options.reads` names them.
    """

    samples: tuple[Path, ...]
    graphs: tuple[Path, ...] = ()
    withheld: frozenset[str] = frozenset()
    rows: tuple[Mapping, ...] = ()
    labels: Path | None = None

    def described(self) -> pd.DataFrame:
        """Return all spots with `rows` and `labels`; see `describe_spots`."""
        return describe_spots(cohort_obs(self.samples), self.rows, self.labels)

    def sections(self) -> Iterator["AnnData"]:
        """Yield each sample's raw counts (csr int32) without the withheld genes."""
        for path in self.samples:
            adata = read_h5ad(path)
            kept = ~adata.var_names.isin(self.withheld)
            adata.X = sp.csr_matrix(adata.X)
            yield adata if kept.all() else adata[:, kept].copy()

    def counts_by_section(self) -> Iterator[sp.csr_matrix]:
        """Yield each sample's raw counts as csr int32 alone, without the withheld genes."""
        kept = ~self.panel().isin(self.withheld)
        for path in self.samples:
            counts = read_counts(path)
            yield counts if kept.all() else sp.csr_matrix(counts[:, kept])

    def counts(self) -> "AnnData":
        """Return all spots: raw counts (csr int32, spots x genes), `cohort_obs` and `spatial`."""
        from anndata import AnnData

        sections = list(self.sections())
        stacked = sp.csr_matrix(sp.vstack([section.X for section in sections], format="csr"))
        return AnnData(
            stacked,
            obs=cohort_obs(self.samples),
            var=pd.DataFrame(index=sections[0].var_names),
            obsm={"spatial": cohort_spatial(self.samples)},
        )

    def withheld_columns(self) -> tuple[int, ...]:
        """Return positions of the withheld genes in the panel, ignoring genes that it lacks."""
        return tuple(int(column) for column in np.flatnonzero(self.panel().isin(self.withheld)))

    def panel(self) -> pd.Index:
        """Return the genes to which all samples were harmonised, including withheld ones."""
        with h5py.File(self.samples[0]) as file:
            return pd.Index(names_in(file["var"]))

    def expression(self, how: str) -> sp.csr_matrix:
        """Return the normalised expression of all spots: csr float32 (spots, genes)."""
        return self._stacked(self.expressions(how))

    def expressions(self, how: str) -> Iterator[sp.csr_matrix]:
        """Yield the normalised expression of each section: csr (spots, genes)."""
        return (normalise(counts, how) for counts in self.counts_by_section())

    def split(self) -> Iterator["Cohort"]:
        """Yield each section as a cohort."""
        for number, sample in enumerate(self.samples):
            yield replace(self, samples=(sample,), graphs=self.graphs[number : number + 1])

    def mean_operator(self) -> sp.csr_matrix:
        """Return means over neighbourhoods: csr float32 (spots, spots), with rows that sum to 1.

        Multiplied by `expression`, on the paper's graph, it gives the input of the paper's network.
        """
        means = [load_graph(graph).mean_operator() for graph in self.graphs]
        return sp.csr_matrix(sp.block_diag(means, format="csr"))

    def _stacked(self, matrices: Iterator[sp.csr_matrix]) -> sp.csr_matrix:
        return sp.csr_matrix(sp.vstack(list(matrices), format="csr"), dtype=np.float32)


def cohort_of_files(
    samples: Sequence[str | Path],
    graphs: Sequence[str | Path] = (),
    withheld: Sequence[str | Path] = (),
    rows: Sequence[Mapping] = (),
    labels: Sequence[str | Path] = (),
) -> Cohort:
    """Make a cohort from files; `withheld` is at most one file of genes, `labels` one table."""
    texts = (Path(path).read_text(encoding="utf-8-sig") for path in withheld)
    genes = {gene for text in texts for gene in text.split()}
    return Cohort(
        tuple(map(Path, samples)),
        tuple(map(Path, graphs)),
        frozenset(genes),
        tuple(rows),
        next(map(Path, labels), None),
    )


def cohort_obs(samples: Sequence[Path]) -> pd.DataFrame:
    """Return a cohort's spots: index `{sample}:{spot}`, columns sample (category) and spot."""
    tables = []
    for path in samples:
        with h5py.File(path) as file:
            names = names_in(file["obs"])
        tables.append(pd.DataFrame({"sample": path.stem, "spot": names}))
    spots = pd.concat(tables, ignore_index=True)
    spots.index = spots["sample"] + ":" + spots["spot"]
    return spots.astype({"sample": "category"})


def describe_spots(
    spots: pd.DataFrame, rows: Sequence[Mapping], labels: str | Path | None = None
) -> pd.DataFrame:
    """Join spots with the sheet's facts about their samples and with their labels.

    Neither is stored in the samples' files, so that changing them does not cause anything to be
    recomputed.

    Parameters
    ----------
    spots
        Spots from `cohort_obs`.
    rows
        Rows of the cohort's sheet: sample, dataset, patient, and other columns of `FACTS`.
    labels
        Table of the cohort's labels: sample, spot, label.

    Returns
    -------
    DataFrame
        The index of `spots`; the columns of `FACTS` that `rows` have, spot and, with a table, label
        (missing for spots without one). Text columns are categories; `patient` is as named by
        `name_patients`.
    """
    names = spots["sample"].astype(str)
    facts = pd.DataFrame(rows).set_index("sample", drop=False).loc[names.unique()]
    facts["patient"] = name_patients(facts)
    columns = [fact for fact in FACTS if fact in facts]
    table = facts.loc[names, columns].set_axis(spots.index)
    table["spot"] = spots["spot"]
    if labels:
        known = read_table(labels, dtype=str)
        known = known.set_index(known["sample"] + ":" + known["spot"])["label"]
        table["label"] = known.reindex(spots.index)
    return table.astype({column: "category" for column in table if column != "spot"})


def cohort_spatial(samples: tuple[Path, ...]) -> np.ndarray:
    """Return coordinates of a cohort's spots: float64 (spots, 2), full-resolution pixels (x, y)."""
    return np.concatenate([spot_positions(path)[0] for path in samples])
