"""Collect the labels in a cohort's raw files in one table."""

from sagefm.cohorts.labels import label_table
from sagefm.common.io import write_table
from sagefm.common.job import job

with job(snakemake):
    inputs, params = snakemake.input, snakemake.params
    files = dict(zip(params.samples, inputs.files, strict=True))
    table = label_table(files, params.column, inputs.get("codes") or None)
    write_table(table, snakemake.output.table)
