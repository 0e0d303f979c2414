"""Count the samples that the headline model is trained on, and list known duplicates."""

import pandas as pd

from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.config.duplicates import read_duplicates
from sagefm.training.pretraining_set import known_duplicates, organs_table

with job(snakemake):
    inputs, outputs = snakemake.input, snakemake.output
    rows = pd.DataFrame(snakemake.params.rows)
    listed = read_duplicates(inputs.duplicates) if inputs.duplicates else None
    duplicates = known_duplicates(rows, listed)
    write_table(duplicates, outputs.duplicates)
    write_table(organs_table(rows, read_table(inputs.split, dtype=str), duplicates), outputs.organs)
