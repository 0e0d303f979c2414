"""Draw the share of genes recovered, of all models and cohorts, beside the paper's."""

import pandas as pd

from sagefm.figures.recovered import draw_recovered, reported_share
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    summary = pd.concat(map(read_table, snakemake.input.tables), ignore_index=True)
    reported = reported_share(read_table(snakemake.input.reported))
    save(draw_recovered(summary, reported), snakemake.output.pdf, snakemake.output.png)
