"""Write a representation of a cohort by a method that is not a model."""

from sagefm.common.job import job
from sagefm.representations.files import write_representation
from sagefm.representations.represent import represent_entry
from sagefm.sections.cohort import cohort_of_files
from sagefm.sections.graph_files import graph_files

with job(snakemake):
    params, inputs, name = snakemake.params, snakemake.input, snakemake.wildcards.method
    graphs = graph_files(inputs.samples, inputs.graphs)
    cohort = cohort_of_files(inputs.samples, graphs, inputs.withheld, params.rows, inputs.labels)
    values, facts = represent_entry(name, params.entry, cohort, params.seed)
    write_representation(snakemake.output.representation, name, cohort, values, facts)
