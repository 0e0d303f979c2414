"""Draw the samples that the headline model is trained on."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.style import save
from sagefm.training.figures import draw_pretraining_set

with job(snakemake):
    figure = draw_pretraining_set(read_table(snakemake.input.organs))
    save(figure, snakemake.output.pdf, snakemake.output.png)
