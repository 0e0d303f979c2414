"""Draw figure 1: data and model."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.style import save
from sagefm.report.overview_figure import draw_overview

with job(snakemake):
    inputs, params, out = snakemake.input, snakemake.params, snakemake.output
    names = ("sections", "neighbourhood", "layers")
    tables = [read_table(inputs[name], dtype={"sample": str}) for name in names]
    tissues = read_tissues(inputs.tissues)
    save(draw_overview(*tables, params.facts, tissues), out.pdf, out.png)
