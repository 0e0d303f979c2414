"""Shared parts of untrained representations: normalisation, genes, components and Harmony.

Trained models are compared with these. They therefore use the models' normalisation and the gene
selection of published methods.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sagefm.representations.expression import variable_expression
from sagefm.representations.method import FLOAT64, option, stacked_bytes

if TYPE_CHECKING:
    import numpy as np
    import scipy.sparse as sp

    from sagefm.sections.cohort import Cohort

IN_MEMORY = 50_000
"""Maximum number of spots of a cohort whose expression is held in memory at once."""

COPIES = 3
"""Number of copies of an array during a computation."""

HARMONY_CLUSTERS = 100
"""Maximum number of clusters in harmonypy; each spot has a weight in each."""

LARGEST_SECTION = 15_000
"""Maximum number of spots of a section, as on Visium's larger array (14,336)."""


@dataclass(frozen=True)
class Untrained:
    """Options of every untrained representation; methods with more options subclass it."""

    components: int = option(50, "Principal components.")
    normalisation: Literal["log1p", "log1p_cp10k"] = option(
        "log1p_cp10k", "Normalisation, as for models."
    )
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
    """Return the normalised expression of the chosen genes: CSR float32 (spots, genes)."""
    if options.n_top_genes is None:
        return cohort.expression(options.normalisation)
    return variable_expression(cohort, options.normalisation, options.n_top_genes)


def components_of(
    cohort: "Cohort",
    options: Untrained,
    seed: int,
    average: "Callable[[Cohort], sp.csr_matrix] | None" = None,
) -> "np.ndarray":
    """Return principal components of the chosen genes: float32 (spots, components).

    A cohort of more than `IN_MEMORY` spots is read section by section (see `stats.streamed`). Its
    components agree to within 1e-4 of the standard deviation of the first one.

    Parameters
    ----------
    average
        Function of a cohort that returns means over neighbourhoods (spots, spots), section by
        section. The components are then those of the spots' neighbourhood means.
    """
    from sagefm.sections.cohort import cohort_obs
    from sagefm.stats.components import principal_components
    from sagefm.stats.streamed import streamed_components, streamed_variable_genes

    if not streams(options, len(cohort_obs(cohort.samples))):
        expression = expression_of(cohort, options)
        means = None if average is None else average(cohort)
        return principal_components(expression, options.components, seed, means)[0]
    count = options.n_top_genes
    assert count is not None
    genes = streamed_variable_genes(lambda: cohort.expressions(options.normalisation), count)

    def averaged() -> "Iterator[sp.csr_matrix]":
        for section in cohort.split():
            for expression in section.expressions(options.normalisation):
                chosen = expression[:, genes]
                yield chosen if average is None else average(section) @ chosen

    return streamed_components(averaged, options.components)


def streams(options: Untrained, spots: int) -> bool:
    """Return whether a cohort with `spots` spots is read section by section.

    Never with `n_top_genes: null`, as the products of all genes need more memory than this saves.
    """
    return spots > IN_MEMORY and options.n_top_genes is not None


def components_bytes(options: Untrained, spots: int, genes: int) -> float:
    """Return the peak bytes of `components_of` and of Harmony (see `method.Method.held_bytes`)."""
    own = spots * options.components * COPIES * FLOAT64
    if options.harmony is not None:
        own += spots * HARMONY_CLUSTERS * COPIES * FLOAT64
    if not streams(options, spots):
        return own + stacked_bytes(spots, genes)
    # Gene products, their eigenvectors, and the largest possible section.
    chosen = options.n_top_genes or genes
    return own + COPIES * FLOAT64 * (chosen**2 + LARGEST_SECTION * chosen)


def aligned(values: "np.ndarray", cohort: "Cohort", options: Untrained, seed: int) -> "np.ndarray":
    """Align components (spots, components) over the batches named in the options.

    harmonypy runs with its defaults (at most 10 iterations, diversity penalty 2).
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
