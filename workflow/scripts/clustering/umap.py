"""Compute the UMAP layout of a cohort's spots for every representation."""

from sagefm.clustering.umap import umap_table
from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.representations.files import read_representation

with job(snakemake):
    inputs, params = snakemake.input, snakemake.params
    representations = (
        read_representation(path).described(params.rows, inputs.labels)
        for path in inputs.representations
    )
    table = umap_table(representations, params.components, params.neighbours, params.spots, seed=0)
    write_table(table, snakemake.output.umap)
