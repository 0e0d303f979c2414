"""List the patients of another cohort that a model has seen, also by comparing sections' counts."""

import pandas as pd

from sagefm.cohorts.duplicates import find_duplicates
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.config.duplicates import read_duplicates
from sagefm.training.seen import mark_seen, with_scored

with job(snakemake) as log:
    inputs, rows = snakemake.input, pd.DataFrame(snakemake.params.rows)
    split = read_table(inputs.split, dtype=str).fillna("")
    duplicates = find_duplicates([*inputs.training_samples, *inputs.samples])
    for pair in duplicates.itertuples():
        if pair.sample.startswith(f"{snakemake.wildcards.cohort}/"):
            names = pair.sample, pair.duplicate_of, pair.evidence
            log.warning("%s is %s again (%s); their patients count as one", *names)
    if inputs.duplicates:
        duplicates = pd.concat([read_duplicates(inputs.duplicates), duplicates], ignore_index=True)
    table = with_scored(split.drop(columns=["patient_seen", "dataset_seen"]), rows, duplicates)
    seen = mark_seen(table, table)[["patient_seen", "dataset_seen"]]
    write_table(table.join(seen), snakemake.output.seen)
