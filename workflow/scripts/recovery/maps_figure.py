"""Draw true and predicted expression of a few genes on one section."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.common.model_names import name_models
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.style import save
from sagefm.recovery.gene_figures import draw_maps

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    tissues = read_tissues(inputs.tissues)
    maps = read_table(inputs.table, dtype={"sample": str})
    figure = draw_maps(name_models(maps, snakemake.params.titles), tissues)
    save(figure, out.pdf, out.png)
