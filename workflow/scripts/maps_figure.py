"""Draw true and predicted expression of a few genes on one section."""

from sagefm.figures.maps import draw_maps
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    figure = draw_maps(read_table(snakemake.input.table, dtype={"sample": str}))
    save(figure, snakemake.output.pdf, snakemake.output.png)
