"""Sum each gene over the spots of each section of a cohort, and over all spots."""

from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.sections.gene_summary import GeneSums

with job(snakemake):
    sums = GeneSums.of_files(snakemake.input.samples, snakemake.wildcards.normalisation)
    sums.write(snakemake.output.sums)
    write_table(sums.summary().rename_axis("gene").reset_index(), snakemake.output.table)
