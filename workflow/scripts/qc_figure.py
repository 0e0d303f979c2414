"""Draw a cohort's quality control."""

from sagefm.figures.qc import draw_qc
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    figure = draw_qc(read_table(snakemake.input.table))
    save(figure, snakemake.output.pdf, snakemake.output.png)
