"""BANKSY: each spot's own expression and, with a lower weight, that of its neighbours.

Each gene enters the matrix twice, z-scored within its section: at the spot, and averaged over the
nearest spots with weights that fall with distance. Principal components follow. The defaults are
those of the authors' analysis of several Visium sections (DLPFC_concatenate_multisample in
github.com/prabhakarlab/Banksy_py). This includes counts scaled to the library size without
logarithms.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sagefm.plotting.colours import OKABE_ITO
from sagefm.representations.method import FLOAT64, option, stacked_bytes

if TYPE_CHECKING:
    import numpy as np

    from sagefm.sections.cohort import Cohort

TITLE = "BANKSY"

ROLE = "spatial method"

COLOUR = OKABE_ITO["green"]

SPATIAL = True

TRANSDUCTIVE = True

SOURCE = "pybanksy (Singhal et al. 2024, doi:10.1038/s41588-024-01664-3)"


@dataclass(frozen=True)
class Options:
    """Settings from the config."""

    neighbour_share: float = option(
        0.2, "The authors' lambda, 0 to 1: 0.2 to find cell types, 0.8 to find domains."
    )
    neighbours: int = option(6, "Number of nearest spots to average over.")
    gradient: bool = option(
        False, "Whether the magnitude of the expression gradient is added as a third part."
    )
    decay: Literal["scaled_gaussian", "reciprocal", "uniform"] = option(
        "scaled_gaussian", "How a neighbour's weight falls with its distance."
    )
    logarithm: bool = option(False, "Whether expression is log-transformed.")
    n_top_genes: int = option(2000, "Highly variable genes, ranked within samples.")
    components: int = option(20, "Principal components.")

    def __post_init__(self) -> None:
        """Refuse a share outside 0 to 1."""
        if not 0 <= self.neighbour_share <= 1:
            raise ValueError(
                f"`neighbour_share` is {self.neighbour_share}, but a share is from 0 to 1."
            )


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    chosen = min(options.n_top_genes, genes) * (3 if options.gradient else 2)
    return stacked_bytes(spots, genes) + spots * chosen * 3 * FLOAT64


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Return principal components (spots, components) of the sections' matrices, stacked.

    Memory holds two or three dense matrices of the chosen genes of all spots, in double precision.
    """
    import numpy as np
    from scanpy.pp import pca

    from sagefm.representations.expression import variable_expression
    from sagefm.representations.isolation import isolated
    from sagefm.sections.cohort import cohort_obs, cohort_spatial

    expression = variable_expression(cohort, "log1p_cp10k", options.n_top_genes)
    samples = cohort_obs(cohort.samples)["sample"].to_numpy()
    values = expression if options.logarithm else np.expm1(expression)
    spatial = cohort_spatial(cohort.samples)
    blocks = []
    # A gene that a section lacks has variance 0; pybanksy replaces its 0 / 0 by 0.
    with isolated(seed), np.errstate(invalid="ignore"):
        for sample in dict.fromkeys(samples):
            rows = samples == sample
            blocks.append(_matrix(values[rows].toarray(), spatial[rows], options))
    matrix = np.concatenate(blocks)
    components = min(options.components, min(matrix.shape) - 1)
    return np.asarray(pca(matrix, n_comps=components, random_state=seed), dtype=np.float32)


def _matrix(values: "np.ndarray", spatial: "np.ndarray", options: Options) -> "np.ndarray":
    """Return BANKSY's matrix of one section: float64 (spots, 2 genes), or 3 with the gradient."""
    import numpy as np
    from anndata import AnnData
    from banksy.embed_banksy import create_nbr_matrix
    from banksy.main import concatenate_all, generate_spatial_weights_fixed_nbrs

    section = AnnData(values.astype(np.float64))
    orders = range(2 if options.gradient else 1)
    weights = {}
    for order in orders:
        # Limited to the available neighbours; for the gradient, pybanksy uses twice the number.
        count = min(options.neighbours, (len(values) - 1) // (order + 1))
        weights[order] = generate_spatial_weights_fixed_nbrs(
            spatial, m=order, num_neighbours=count, decay_type=options.decay, verbose=False
        )[0]
    means = create_nbr_matrix(
        section, {options.decay: {"weights": weights}}, options.decay, max(orders), verbose=False
    )
    parts = [section.X, *(means[order] for order in orders)]
    return concatenate_all(parts, options.neighbour_share)
