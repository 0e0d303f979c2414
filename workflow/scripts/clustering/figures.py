"""Draw the scores of a cohort's clusterings."""

from sagefm.clustering.figures import draw_batch_biology
from sagefm.clustering.metric_table import draw_metric_table
from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.style import save
from sagefm.representations.catalogue import Catalogue

with job(snakemake):
    summary, out = read_table(snakemake.input.summary), snakemake.output
    catalogue = Catalogue(snakemake.params.catalogue)
    save(draw_metric_table(summary, catalogue), out.metrics_pdf, out.metrics_png)
    save(draw_batch_biology(summary, catalogue), out.batch_pdf, out.batch_png)
