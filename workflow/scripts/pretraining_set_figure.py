"""Draw what the headline model is trained on."""

from sagefm.figures.pretraining_set import draw_pretraining_set
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    figure = draw_pretraining_set(read_table(snakemake.input.organs))
    save(figure, snakemake.output.pdf, snakemake.output.png)
