"""Store the images of a cohort's sections in one file."""

from sagefm.common.job import job
from sagefm.plotting.histology import write_tissues

with job(snakemake):
    write_tissues(snakemake.output.tissues, snakemake.input.samples, snakemake.params.rows)
