"""Draw recovery by detection rate, organ, and patients seen or unseen in pretraining."""

import pandas as pd

from sagefm.figures.recovery_strata import draw_strata
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    summary = pd.concat(map(read_table, snakemake.input.tables), ignore_index=True)
    save(draw_strata(summary), snakemake.output.pdf, snakemake.output.png)
