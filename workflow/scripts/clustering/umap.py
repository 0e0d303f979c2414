"""Lay out the spots of a cohort by UMAP, in every representation."""

from sagefm.clustering.umap import umap_table
from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.representations.files import read_representation

with job(snakemake):
    params = snakemake.params
    representations = map(read_representation, snakemake.input.representations)
    table = umap_table(representations, params.components, params.neighbours, params.spots, seed=0)
    write_table(table, snakemake.output.umap)
