"""Write a cohort's quality control as a table with one row per sample."""

from sagefm.cohorts.qc import qc_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job

with job(snakemake):
    inputs = snakemake.input
    matched = read_table(inputs.matched, dtype={"sample": str}) if inputs.matched else None
    write_table(qc_table(inputs.samples, snakemake.params.rows, matched), snakemake.output.table)
