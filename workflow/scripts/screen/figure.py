"""Draw how well a screen finds known pairs."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.common.model_names import name_models
from sagefm.plotting.style import save
from sagefm.screen.figures import draw_screen_scores

with job(snakemake):
    scores = name_models(read_table(snakemake.input.scores), snakemake.params.titles)
    figure = draw_screen_scores(scores)
    save(figure, snakemake.output.pdf, snakemake.output.png)
