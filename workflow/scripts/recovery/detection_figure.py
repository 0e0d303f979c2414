"""Draw a model's correlation with the truth against the detection rate of genes."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.style import save
from sagefm.recovery.gene_figures import draw_correlation_by_detection

with job(snakemake):
    genes = read_table(snakemake.input.table).assign(model=snakemake.params.title)
    figure = draw_correlation_by_detection(genes, snakemake.params.colour)
    save(figure, snakemake.output.pdf, snakemake.output.png)
