"""Draw true and predicted expression of a few genes on one section."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.style import save
from sagefm.recovery.gene_figures import draw_maps

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    tissues = read_tissues(inputs.tissues)
    maps = read_table(inputs.table, dtype={"sample": str}).assign(model=snakemake.params.title)
    figure = draw_maps(maps, tissues)
    save(figure, out.pdf, out.png)
