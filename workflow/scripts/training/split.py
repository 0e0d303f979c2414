"""Write down which samples a model trains on, stops by, and is tested on."""

import pandas as pd

from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.training.seen import mark_seen
from sagefm.training.split import split_samples

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    split = split_samples(
        pd.DataFrame(params.rows),
        validation=params.validation,
        test=params.test,
        seed=params.seed,
        held_out_patients=params.held_out_patients,
        duplicates=read_table(inputs.duplicates, dtype=str) if inputs.duplicates else None,
    )
    seen = mark_seen(split, split)[["patient_seen", "dataset_seen"]]
    write_table(split.join(seen), snakemake.output.split)
