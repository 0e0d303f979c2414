"""Cluster a representation of a cohort, and score its clusters and its geometry."""

from sagefm.clustering.cluster import cluster_representation
from sagefm.clustering.scopes import Settings
from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.representations.files import read_representation

with job(snakemake):
    representation = read_representation(snakemake.input.representation)
    result = cluster_representation(representation, Settings(**snakemake.params.settings))
    write_table(result.scores, snakemake.output.scores)
    write_table(result.clusters, snakemake.output.clusters)
    write_table(result.skipped, snakemake.output.skipped)
