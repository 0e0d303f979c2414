"""Draw the spatial coherence of a cohort's representations."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.style import save
from sagefm.representations.catalogue import Catalogue
from sagefm.representations.figures import draw_coherence

with job(snakemake):
    figure = draw_coherence(
        read_table(snakemake.input.table), Catalogue(snakemake.params.catalogue)
    )
    save(figure, snakemake.output.pdf, snakemake.output.png)
