"""Write a cohort's quality control as a table, one row a sample."""

from sagefm.io import write_table
from sagefm.qc import qc_table
from sagefm.script import job

with job(snakemake):
    write_table(qc_table(snakemake.input.samples), snakemake.output.table)
