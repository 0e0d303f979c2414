"""Write an untrained representation of a cohort: PCA of the spots, or of their neighbourhoods."""

from sagefm.representations import (
    expression_of,
    neighbour_mean_of,
    reference_pca,
    write_representation,
)
from sagefm.script import job

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    if snakemake.wildcards.reference == "pca":
        matrices = expression_of(inputs.samples, "log1p")
    else:
        matrices = neighbour_mean_of(inputs.samples, inputs.graphs, "log1p")
    values = reference_pca(matrices, params.components, params.seed)
    write_representation(
        snakemake.output.representation,
        snakemake.wildcards.reference,
        inputs.samples,
        [values],
        values.shape[1],
    )
