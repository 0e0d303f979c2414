"""Put the labels of a cohort's raw files into one table."""

from sagefm.io import write_table
from sagefm.r_labels import label_table
from sagefm.script import job

with job(snakemake):
    inputs, params = snakemake.input, snakemake.params
    files = dict(zip(params.samples, inputs.files, strict=True))
    table = label_table(files, params.column, inputs.get("codes") or None)
    write_table(table, snakemake.output.table)
