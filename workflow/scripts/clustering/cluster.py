"""Cluster a representation of a cohort, and score its clusters and geometry."""

from sagefm.clustering.cluster import cluster_representation
from sagefm.clustering.scopes import Settings
from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.representations.files import read_representation

with job(snakemake):
    inputs, params = snakemake.input, snakemake.params
    found = read_representation(inputs.representation).described(params.rows, inputs.labels)
    result = cluster_representation(found, Settings(**params.settings))
    write_table(result.scores, snakemake.output.scores)
    write_table(result.clusters, snakemake.output.clusters)
    write_table(result.skipped, snakemake.output.skipped)
