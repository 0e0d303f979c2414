"""Draw a cohort's quality control."""

from sagefm.cohorts.figures import draw_qc
from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.style import save

with job(snakemake):
    figure = draw_qc(read_table(snakemake.input.table), snakemake.params.organs)
    save(figure, snakemake.output.pdf, snakemake.output.png)
