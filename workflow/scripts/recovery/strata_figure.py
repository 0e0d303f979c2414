"""Draw recovery by detection rate, organ, and patients seen or unseen in pretraining."""

import pandas as pd

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.common.model_names import name_models
from sagefm.plotting.style import save
from sagefm.recovery.strata_figures import draw_strata

with job(snakemake):
    summary = pd.concat(map(read_table, snakemake.input.tables), ignore_index=True)
    figure = draw_strata(name_models(summary, snakemake.params.titles), snakemake.params.colours)
    save(figure, snakemake.output.pdf, snakemake.output.png)
