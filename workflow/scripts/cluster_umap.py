"""Lay out the spots of a cohort by UMAP, in every representation."""

from sagefm.cluster_umap import umap_table
from sagefm.io import write_table
from sagefm.representations import read_representation
from sagefm.script import job

with job(snakemake):
    params = snakemake.params
    representations = map(read_representation, snakemake.input.representations)
    table = umap_table(representations, params.components, params.neighbours, params.spots, seed=0)
    write_table(table, snakemake.output.umap)
