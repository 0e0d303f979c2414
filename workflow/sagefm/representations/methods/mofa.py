"""Factors of MOFA, with each sample as a group: the baseline of the paper.

MOFA is a Bayesian factor analysis that learns in which genes and samples each factor is active. Its
authors advise scaling counts to the library size, taking logarithms and choosing highly variable
genes within groups (https://biofam.github.io/MOFA2/faq.html). This is done here.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sagefm.plotting.colours import OKABE_ITO
from sagefm.representations.method import FLOAT64, option, stacked_bytes

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from sagefm.sections.cohort import Cohort

TITLE = "MOFA"

ROLE = "baseline"

COLOUR = OKABE_ITO["vermilion"]

SPATIAL = False

TRANSDUCTIVE = True

SOURCE = "MOFA+ by mofapy2 (Argelaguet et al. 2020, doi:10.1186/s13059-020-02015-1)"

OFF = 1e-6
"""Spread below which a factor counts as switched off, relative to the largest."""


@dataclass(frozen=True)
class Options:
    """Settings from the config; unless stated otherwise, the defaults are those of mofapy2."""

    factors: int = option(
        15,
        "Initial number of factors (mofapy2's default: 10); those switched off are left out.",
        authors=10,
    )
    normalisation: Literal["log1p", "log1p_cp10k"] = option(
        "log1p_cp10k", "Normalisation, as for models."
    )
    n_top_genes: int = option(
        2000, "Highly variable genes, ranked within samples.", authors="no number named"
    )
    centre_groups: bool = option(True, "Whether the mean of each sample is removed.")
    scale_groups: bool = option(False, "Whether each sample is scaled to variance 1.")
    scale_views: bool = option(False, "Whether the whole matrix is scaled to variance 1.")
    ard_factors: bool = option(
        True, "Whether a factor may be off in some samples; mofapy2 advises it with several groups."
    )
    ard_weights: bool = option(True, "Whether a factor may be off altogether.")
    spikeslab_weights: bool = option(True, "Whether a factor may leave genes out.")
    convergence: Literal["fast", "medium", "slow"] = option(
        "fast", "Gain per step that ends fitting, relative to the first bound: 5e-6, 5e-7 or 5e-8."
    )
    iterations: int = option(1000, "Maximum number of iterations; reaching it logs a warning.")


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    return stacked_bytes(spots, genes) + spots * min(options.n_top_genes, genes) * 4 * FLOAT64


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Return factors (spots, active factors), in the order of the cohort's samples.

    Memory holds a few dense matrices of the chosen genes of all spots, in double precision. Runs on
    a GPU if there is one and `cupy` is installed.

    Raises
    ------
    RuntimeError
        If mofapy2 gives up; its output is in the log.
    """
    import logging

    import numpy as np

    from sagefm.representations.expression import variable_expression
    from sagefm.representations.isolation import isolated
    from sagefm.sections.cohort import cohort_obs

    expression = variable_expression(cohort, options.normalisation, options.n_top_genes)
    samples = cohort_obs(cohort.samples)["sample"].astype(str)
    # A gene that is certainly in or out of a factor gives 0 log 0, which mofapy2 replaces by 0.
    with isolated(seed), np.errstate(divide="ignore", invalid="ignore"):
        model = _fit(expression.toarray(), samples, options, seed)
    bound = model.train_stats["elbo"]
    log = logging.getLogger("sagefm")
    if len(bound) <= options.iterations:
        log.info("MOFA converged (%s) in %d iterations", options.convergence, len(bound))
    else:
        log.warning(
            "MOFA did not converge (%s) in %d iterations, its bound",
            options.convergence,
            options.iterations,
        )
    factors = np.asarray(model.nodes["Z"].getExpectation(), dtype=np.float32)
    # A factor that is off is not exactly 0; scaling would amplify its rounding errors.
    spread = factors.std(axis=0)
    active = spread > OFF * spread.max()
    log.info("%d of %d factors are active", active.sum(), len(active))
    return factors[:, active]


def _fit(values: "np.ndarray", samples: "pd.Series", options: Options, seed: int):
    """Fit mofapy2's model to values (spots, genes) of consecutive samples."""
    import numpy as np
    from mofapy2.run.entry_point import entry_point

    mofa = entry_point()
    mofa.set_data_options(
        scale_views=options.scale_views,
        scale_groups=options.scale_groups,
        center_groups=options.centre_groups,
    )
    names, firsts = np.unique(samples, return_index=True)
    order = np.argsort(firsts)
    mofa.set_data_matrix(
        # Groups in the order of their first spots, because mofapy2 concatenates their rows.
        [np.split(values, np.sort(firsts)[1:])],
        likelihoods=["gaussian"],
        groups_names=names[order].tolist(),
    )
    mofa.set_model_options(
        factors=min(options.factors, *values.shape),
        spikeslab_weights=options.spikeslab_weights,
        ard_factors=options.ard_factors,
        ard_weights=options.ard_weights,
    )
    mofa.set_train_options(
        iter=options.iterations,
        convergence_mode=options.convergence,
        quiet=True,
        seed=seed,
        gpu_mode=_has_gpu(),
    )
    mofa.build()
    try:
        mofa.run()
    except SystemExit as error:
        # mofapy2 exits with status 0 if training raises a TypeError.
        raise RuntimeError("MOFA gave up; what it printed is in the log") from error
    return mofa.model


def _has_gpu() -> bool:
    """Return whether mofapy2 can use a GPU: it needs `cupy`, which the lock leaves out."""
    try:
        import cupy
    except ImportError:
        return False
    return bool(cupy.is_available())
