"""Statistics of each gene over the spots of sections: read once, kept by section, combined at will.

Sums of the sections are added one after another in the order asked for, so that statistics over the
same sections are the same to the bit, however many others were read with them.
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
    """Of each section (S) and gene (G) of the panel, over the section's spots.

    Attributes
    ----------
    sections
        str (S,): `cohort/sample`.
    genes
        str (G,).
    spots
        int64 (S,).
    low, high
        float32 (S, G): least and greatest normalised expression.
    total
        float64 (S, G): sum of normalised expression.
    detected
        int64 (S, G): spots with a count.
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
        """Of sections' names, raw counts (spots x genes) and genes measured, bool (genes,).

        One section is in memory at a time.
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
        """Of harmonised samples (`{cohort}/{sample}.h5ad`), all on the same panel."""
        cohort = Cohort(tuple(map(Path, samples)))
        names = [f"{path.parent.name}/{path.stem}" for path in cohort.samples]
        counts = cohort.counts_by_section()
        measured = map(measured_genes_of, cohort.samples)
        return cls.of(zip(names, counts, measured, strict=True), cohort.panel(), how)

    def write(self, path: str | Path) -> None:
        """Write as npz of plain arrays."""
        with atomic(path) as temporary:
            np.savez_compressed(temporary, **vars(self))

    @classmethod
    def read(cls, paths: Sequence[str | Path]) -> "GeneSums":
        """Read what `write` wrote of one cohort or several, on the same panel."""
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
        """Statistics of each gene over the spots of those sections that measured it.

        Parameters
        ----------
        sections
            Names in `sections`, in the order in which their sums are added; all as they were read
            unless given.
        unmeasured_as_zero
            Over all spots instead, with 0 where a gene was not measured, as the paper has it.

        Returns
        -------
        DataFrame
            Index: symbols. low, high, mean (normalised expression), and detected (share of spots
            with a count); float64, 0 of a gene that no section measured.
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
    """Names of sections, as `GeneSums` has them."""
    return [f"{section.cohort}/{section.sample}" for section in sections]


def summary_over(
    paths: Sequence[str | Path], sections: Sequence[Section], over: str
) -> pd.DataFrame:
    """`GeneSums.summary` of files of a cohort, whose low and high are the ends of levels.

    Parameters
    ----------
    sections
        Those of the cohort that a model is scored on.
    over
        `scored`: over these sections; `cohort`: over all sections of the files.
    """
    return GeneSums.read(paths).summary(names_of(sections) if over == "scored" else None)


def summarise_genes(sections: Sequence[Section], normalisation: str) -> pd.DataFrame:
    """`GeneSums.summary` of sections that are read here, one in memory at a time."""
    return GeneSums.of_files([section.counts_path for section in sections], normalisation).summary()


def levels_between(genes: pd.DataFrame, columns: Iterable[int], number: int) -> np.ndarray:
    """Evenly spaced levels from a gene's least to its greatest expression.

    Parameters
    ----------
    genes
        Of `GeneSums.summary`: a row a gene of the panel.
    columns
        Which genes, by their places in the panel.

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
    """`levels_between`, over sections that are read here."""
    return levels_between(summarise_genes(sections, normalisation), columns, number)
