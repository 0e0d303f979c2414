"""Draw how well genes that whole sections lack are predicted, by all models on one cohort."""

import pandas as pd

from sagefm.figures.imputation import draw_imputation
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    summary = pd.concat(map(read_table, snakemake.input.tables), ignore_index=True)
    save(draw_imputation(summary), snakemake.output.pdf, snakemake.output.png)
