"""Draw how well genes that whole sections lack are predicted, by all models on one cohort."""

import pandas as pd

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.imputation.figures import draw_imputation
from sagefm.plotting.style import save

with job(snakemake):
    summary = pd.concat(map(read_table, snakemake.input.tables), ignore_index=True)
    save(draw_imputation(summary), snakemake.output.pdf, snakemake.output.png)
