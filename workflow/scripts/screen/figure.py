"""Draw how well a screen finds known pairs."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.style import save
from sagefm.screen.figures import draw_screen_scores

with job(snakemake):
    scores = read_table(snakemake.input.scores).assign(model=snakemake.params.title)
    figure = draw_screen_scores(scores, snakemake.params.colour)
    save(figure, snakemake.output.pdf, snakemake.output.png)
