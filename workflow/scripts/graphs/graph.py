"""Write the neighbourhoods of each section of a cohort."""

from sagefm.common.job import job
from sagefm.sections.graph_files import write_graphs

with job(snakemake):
    params = snakemake.params
    write_graphs(snakemake.input.samples, snakemake.output.graphs, params.spec, params.arrays)
