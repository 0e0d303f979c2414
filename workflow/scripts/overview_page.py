"""Draw figure 1: data and model."""

from sagefm.figures.overview import draw_overview
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    tables = [read_table(inputs[name]) for name in ("sections", "neighbourhood", "layers")]
    save(draw_overview(*tables, snakemake.params.facts), out.pdf, out.png)
