"""Draw how well all models predict genes missing from whole sections of a cohort."""

import pandas as pd

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.common.model_names import name_models
from sagefm.imputation.figures import draw_imputation
from sagefm.plotting.style import save

with job(snakemake):
    summary = pd.concat(map(read_table, snakemake.input.tables), ignore_index=True)
    save(
        draw_imputation(name_models(summary, snakemake.params.titles), snakemake.params.colours),
        snakemake.output.pdf,
        snakemake.output.png,
    )
