"""Draw the share of genes recovered by all models on all cohorts, with the paper's share."""

import pandas as pd

from sagefm.claims.reported import reported_values
from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.common.model_names import name_models
from sagefm.plotting.style import save
from sagefm.recovery.figures import draw_recovered

with job(snakemake):
    summary = pd.concat(map(read_table, snakemake.input.tables), ignore_index=True)
    summary = name_models(summary, snakemake.params.titles)
    reported = reported_values(read_table(snakemake.input.reported), "share of genes")["recovery"]
    figure = draw_recovered(summary, reported, snakemake.params.colours)
    save(figure, snakemake.output.pdf, snakemake.output.png)
