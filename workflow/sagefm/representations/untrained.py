"""What untrained representations share: normalisation, genes, components, and Harmony.

They are held against trained models, so that they are given the models' normalisation and the genes
that published methods choose.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sagefm.representations.method import option

if TYPE_CHECKING:
    import numpy as np
    import scipy.sparse as sp

    from sagefm.sections.cohort import Cohort


@dataclass(frozen=True)
class Untrained:
    """Options of every untrained representation; one with more of its own is a subclass."""

    components: int = option(50, "Principal components.")
    normalisation: Literal["log1p", "log1p_cp10k"] = option("log1p_cp10k", "As for a model.")
    n_top_genes: int | None = option(
        2000, "Highly variable genes, ranked within samples; null: all genes."
    )
    harmony: Literal["sample", "patient", None] = option(
        None,
        "Batches that Harmony aligns the components over (Korsunsky et al. 2019, "
        "doi:10.1038/s41592-019-0619-0); null: none.",
    )

    @property
    def reads(self) -> tuple[str, ...]:
        """The sheet's patients, if they are the batches."""
        return ("patients",) if self.harmony == "patient" else ()


def expression_of(cohort: "Cohort", options: Untrained) -> "sp.csr_matrix":
    """Expression of the chosen genes, normalised: csr float32 (spots, genes)."""
    from sagefm.sections.cohort import cohort_obs
    from sagefm.stats.variable_genes import variable_genes

    expression = cohort.expression(options.normalisation)
    if options.n_top_genes is None:
        return expression
    samples = cohort_obs(cohort.samples)["sample"].to_numpy()
    return expression[:, variable_genes(expression, samples, options.n_top_genes)]


def aligned(values: "np.ndarray", cohort: "Cohort", options: Untrained, seed: int) -> "np.ndarray":
    """Components (spots, components), aligned over the batches that the options name.

    By harmonypy at its defaults (10 iterations at most, diversity penalty 2).
    """
    import numpy as np

    from sagefm.sections.cohort import cohort_obs

    if options.harmony is None:
        return values
    spots = cohort.described() if options.reads else cohort_obs(cohort.samples)
    if spots[options.harmony].nunique() < 2:
        return values
    from harmonypy import run_harmony

    found = run_harmony(values, spots, options.harmony, random_state=seed, ncores=1, verbose=False)
    return np.asarray(found.Z_corr, dtype=np.float32)
