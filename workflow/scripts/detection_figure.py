"""Draw a model's correlation with the truth against how often a gene is detected."""

from sagefm.figures.recovery_detection import draw_correlation_by_detection
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    figure = draw_correlation_by_detection(read_table(snakemake.input.table))
    save(figure, snakemake.output.pdf, snakemake.output.png)
