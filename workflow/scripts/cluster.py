"""Cluster a representation of a cohort, and score its clusters and its geometry."""

from sagefm.cluster_scopes import Settings
from sagefm.clustering import cluster_representation
from sagefm.io import write_table
from sagefm.representations import read_representation
from sagefm.script import job

with job(snakemake):
    representation = read_representation(snakemake.input.representation)
    result = cluster_representation(representation, Settings(**snakemake.params.settings))
    write_table(result.scores, snakemake.output.scores)
    write_table(result.clusters, snakemake.output.clusters)
    write_table(result.skipped, snakemake.output.skipped)
