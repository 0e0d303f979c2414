"""Draw the course of a model's training."""

import json
from pathlib import Path

from sagefm.figures.style import save
from sagefm.figures.training import draw_training
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    summary = json.loads(Path(snakemake.input.summary).read_text())
    history = read_table(snakemake.input.history)
    figure = draw_training(history, summary, snakemake.wildcards.model)
    save(figure, snakemake.output.pdf, snakemake.output.png)
