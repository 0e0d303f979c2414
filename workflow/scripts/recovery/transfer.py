"""Compare recovery across cohorts, with the technologies of each cohort and of the training."""

import pandas as pd

from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.recovery.transfer import transfer_table

with job(snakemake):
    params = snakemake.params
    patients = pd.concat(map(read_table, snakemake.input.patients), ignore_index=True)
    table = transfer_table(patients, params.technologies, params.trained_on)
    write_table(table, snakemake.output.table)
