"""Expression of the genes that vary most, from which methods begin."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import scipy.sparse as sp

    from sagefm.sections.cohort import Cohort


def variable_expression(cohort: "Cohort", how: str, count: int) -> "sp.csr_matrix":
    """Return the normalised expression of highly variable genes: CSR float32 (spots, genes).

    `how` is a normalisation, as in `Cohort.expression`. At most `count` genes are chosen, ranked
    within samples by `variable_genes`.
    """
    from sagefm.sections.cohort import cohort_obs
    from sagefm.stats.variable_genes import variable_genes

    expression = cohort.expression(how)
    samples = cohort_obs(cohort.samples)["sample"].to_numpy()
    return expression[:, variable_genes(expression, samples, count)]
