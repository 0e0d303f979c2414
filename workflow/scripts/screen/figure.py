"""Draw how well a screen finds known pairs."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.style import save
from sagefm.screen.figures import draw_screen_scores

with job(snakemake):
    figure = draw_screen_scores(read_table(snakemake.input.scores))
    save(figure, snakemake.output.pdf, snakemake.output.png)
