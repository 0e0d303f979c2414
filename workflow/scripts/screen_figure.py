"""Draw how well a screen finds known pairs."""

from sagefm.figures.screen import draw_screen_scores
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    figure = draw_screen_scores(read_table(snakemake.input.scores))
    save(figure, snakemake.output.pdf, snakemake.output.png)
