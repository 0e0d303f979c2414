"""Draw the course of a model's training."""

import json
from pathlib import Path

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.networks.registry import describe
from sagefm.plotting.style import save
from sagefm.training.figures import draw_training

with job(snakemake):
    summary = json.loads(Path(snakemake.input.summary).read_text())
    history = read_table(snakemake.input.history)
    loss = describe(snakemake.params.network).loss
    figure = draw_training(history, summary, snakemake.params.title, loss, snakemake.params.colour)
    save(figure, snakemake.output.pdf, snakemake.output.png)
