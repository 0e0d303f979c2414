"""Draw how much of the released embeddings this run reproduces."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.conformance.figures import draw_conformance
from sagefm.plotting.style import save

with job(snakemake):
    inputs = snakemake.input
    tables = (read_table(path) for path in (inputs.summary, inputs.sections, inputs.rows))
    figure = draw_conformance(*tables, snakemake.params.colour)
    save(figure, snakemake.output.pdf, snakemake.output.png)
