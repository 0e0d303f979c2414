"""Join a table of labels to the spots of a cohort."""

from pathlib import Path

from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.sections.labels import cohort_labels

with job(snakemake):
    inputs, outputs = snakemake.input, snakemake.output
    table = read_table(inputs.table, dtype=str)
    samples = [Path(path) for path in inputs.samples]
    labels, matched = cohort_labels(samples, table, snakemake.wildcards.cohort)
    write_table(labels, outputs.labels)
    write_table(matched, outputs.matched)
