"""Draw true and predicted expression of a few genes on one section."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.style import save
from sagefm.recovery.gene_figures import draw_maps

with job(snakemake):
    figure = draw_maps(read_table(snakemake.input.table, dtype={"sample": str}))
    save(figure, snakemake.output.pdf, snakemake.output.png)
