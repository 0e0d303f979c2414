"""Statistics of each gene over spots: read once, stored by section, combined as needed.

Sums of the sections are added in the requested order. Statistics over the same sections are
therefore identical to the bit, however many others were read with them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from sagefm.common.io import atomic
from sagefm.sections.cohort import Cohort
from sagefm.sections.expression import normalise
from sagefm.sections.section import Section, measured_genes_of


@dataclass(frozen=True)
class GeneSums:
    """Sums for each section (S) and gene (G) of the panel, over the section's spots.

    Attributes
    ----------
    sections
        str (S,): `cohort/sample`.
    genes
        str (G,).
    spots
        int64 (S,).
    low, high
        float32 (S, G): minimum and maximum normalised expression.
    total
        float64 (S, G): sum of normalised expression.
    detected
        int64 (S, G): number of spots with a count.
    measured
        bool (S, G): whether the section's source has the gene.
    """

    sections: np.ndarray
    genes: np.ndarray
    spots: np.ndarray
    low: np.ndarray
    high: np.ndarray
    total: np.ndarray
    detected: np.ndarray
    measured: np.ndarray

    @classmethod
    def of(
        cls,
        sections: Iterable[tuple[str, sp.csr_matrix, np.ndarray]],
        genes: Iterable[str],
        how: str,
    ) -> "GeneSums":
        """Compute sums from names, raw counts (spots x genes) and measured genes, bool (genes,).

        Only one section is in memory at a time.
        """
        names, spots, rows = [], [], []
        for name, counts, measured in sections:
            values = normalise(counts, how)
            names.append(name)
            spots.append(counts.shape[0])
            rows.append(
                (
                    values.min(axis=0).toarray().ravel(),
                    values.max(axis=0).toarray().ravel(),
                    np.asarray(values.sum(axis=0, dtype=np.float64)).ravel(),
                    np.asarray((counts > 0).sum(axis=0), dtype=np.int64).ravel(),
                    measured,
                )
            )
        columns = map(np.stack, zip(*rows, strict=True))
        return cls(np.array(names), np.array([*genes]), np.array(spots), *columns)

    @classmethod
    def of_files(cls, samples: Sequence[str | Path], how: str) -> "GeneSums":
        """Compute sums from harmonised samples (`{cohort}/{sample}.h5ad`), all on one panel."""
        cohort = Cohort(tuple(map(Path, samples)))
        names = [f"{path.parent.name}/{path.stem}" for path in cohort.samples]
        counts = cohort.counts_by_section()
        measured = map(measured_genes_of, cohort.samples)
        return cls.of(zip(names, counts, measured, strict=True), cohort.panel(), how)

    def write(self, path: str | Path) -> None:
        """Write the sums as npz of plain arrays."""
        with atomic(path) as temporary:
            np.savez_compressed(temporary, **vars(self))

    @classmethod
    def read(cls, paths: Sequence[str | Path]) -> "GeneSums":
        """Read files of `write`, of one or more cohorts on the same panel."""
        parts = []
        for path in paths:
            with np.load(path, allow_pickle=False) as file:
                parts.append(cls(**file))
        shared = {"genes": parts[0].genes}
        joined = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in vars(parts[0])
            if name not in shared
        }
        return cls(**joined, **shared)

    def summary(
        self, sections: Sequence[str] | None = None, *, unmeasured_as_zero: bool = False
    ) -> pd.DataFrame:
        """Return statistics of each gene over the spots of the sections that measured it.

        Parameters
        ----------
        sections
            Names in `sections`, in the order in which their sums are added; by default all, in the
            order read.
        unmeasured_as_zero
            Use all spots instead, with 0 where a gene was not measured, as in the paper.

        Returns
        -------
        DataFrame
            Index: symbols. low, high, mean (normalised expression), and detected (share of spots
            with a count); float64, 0 for a gene that no section measured.
        """
        rows = [*range(len(self.sections))]
        if sections is not None:
            place = {name: row for row, name in enumerate(self.sections)}
            rows = [place[name] for name in sections]
        measured = self.measured[rows] | unmeasured_as_zero
        total, spots = np.zeros(len(self.genes)), np.zeros(len(self.genes), dtype=np.int64)
        for row, there in zip(rows, measured, strict=True):
            total += self.total[row]
            spots += self.spots[row] * there
        spots = np.maximum(spots, 1)
        low = np.where(measured, self.low[rows], np.inf).min(axis=0)
        return pd.DataFrame(
            {
                "low": np.where(measured.any(axis=0), low, 0).astype(np.float64),
                "high": self.high[rows].max(axis=0).astype(np.float64),
                "mean": total / spots,
                "detected": self.detected[rows].sum(axis=0) / spots,
            },
            index=pd.Index(self.genes, dtype=object),
        )


def names_of(sections: Sequence[Section]) -> list[str]:
    """Return names of sections as in `GeneSums`."""
    return [f"{section.cohort}/{section.sample}" for section in sections]


def summary_over(
    paths: Sequence[str | Path], sections: Sequence[Section], over: str
) -> pd.DataFrame:
    """Return `GeneSums.summary` of a cohort's files, whose low and high bound the levels.

    Parameters
    ----------
    sections
        Sections of the cohort on which a model is scored.
    over
        `scored`: over these sections; `cohort`: over all sections in the files.
    """
    return GeneSums.read(paths).summary(names_of(sections) if over == "scored" else None)


def summarise_genes(sections: Sequence[Section], normalisation: str) -> pd.DataFrame:
    """Return `GeneSums.summary` of sections read here, one in memory at a time."""
    return GeneSums.of_files([section.counts_path for section in sections], normalisation).summary()


def levels_between(genes: pd.DataFrame, columns: Iterable[int], number: int) -> np.ndarray:
    """Return evenly spaced levels from a gene's minimum to its maximum expression.

    Parameters
    ----------
    genes
        Statistics from `GeneSums.summary`, one row per gene of the panel.
    columns
        Positions of the genes in the panel.

    Returns
    -------
    np.ndarray
        float32 (len(columns), number), normalised expression.
    """
    low, high = genes.iloc[[*columns]][["low", "high"]].to_numpy().T
    return np.linspace(low, high, number, axis=1, dtype=np.float32)


def levels_of(
    sections: Sequence[Section], normalisation: str, columns: Iterable[int], number: int
) -> np.ndarray:
    """Apply `levels_between` to sections read here."""
    return levels_between(summarise_genes(sections, normalisation), columns, number)
