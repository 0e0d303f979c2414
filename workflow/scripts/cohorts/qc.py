"""Write a cohort's quality control as a table, one row a sample."""

from sagefm.cohorts.qc import qc_table
from sagefm.common.io import write_table
from sagefm.common.job import job

with job(snakemake):
    write_table(qc_table(snakemake.input.samples), snakemake.output.table)
