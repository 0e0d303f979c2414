"""Draw figure 1: data and model."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.style import save
from sagefm.report.overview_figure import draw_overview

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    tables = [read_table(inputs[name]) for name in ("sections", "neighbourhood", "layers")]
    save(draw_overview(*tables, snakemake.params.facts), out.pdf, out.png)
