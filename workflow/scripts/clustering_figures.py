"""Draw the clusterings of a cohort in numbers."""

from sagefm.figures.clustering import draw_batch_biology, draw_metrics
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    summary, out = read_table(snakemake.input.summary), snakemake.output
    save(draw_metrics(summary), out.metrics_pdf, out.metrics_png)
    save(draw_batch_biology(summary), out.batch_pdf, out.batch_png)
