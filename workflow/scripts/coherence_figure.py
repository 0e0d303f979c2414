"""Draw the spatial coherence of a cohort's representations."""

from sagefm.figures.coherence import draw_coherence
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    figure = draw_coherence(read_table(snakemake.input.table))
    save(figure, snakemake.output.pdf, snakemake.output.png)
