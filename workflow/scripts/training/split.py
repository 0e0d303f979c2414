"""List the samples used for a model's training, validation and test."""

import pandas as pd

from sagefm.cohorts.duplicates import find_duplicates
from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.config.duplicates import read_duplicates
from sagefm.training.seen import mark_seen
from sagefm.training.split import split_samples

with job(snakemake) as log:
    params, inputs = snakemake.params, snakemake.input
    duplicates = find_duplicates(inputs.samples)
    for pair in duplicates.itertuples():
        names = pair.sample, pair.duplicate_of, pair.evidence
        log.warning("%s is %s again (%s); they stay in one part", *names)
    if inputs.duplicates:
        duplicates = pd.concat([read_duplicates(inputs.duplicates), duplicates], ignore_index=True)
    split = split_samples(
        pd.DataFrame(params.rows),
        validation=params.validation,
        test=params.test,
        seed=params.seed,
        held_out_patients=params.held_out_patients,
        duplicates=duplicates,
    )
    seen = mark_seen(split, split)[["patient_seen", "dataset_seen"]]
    write_table(split.join(seen), snakemake.output.split)
