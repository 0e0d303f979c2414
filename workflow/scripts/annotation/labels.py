"""Write a task's labels, its classes, and the genes from which derived labels were made."""

import pandas as pd

from sagefm.annotation.labels import label_task
from sagefm.cohorts.duplicates import find_duplicates
from sagefm.common.io import atomic, write_table
from sagefm.common.job import job
from sagefm.config.duplicates import read_duplicates
from sagefm.sections.cohort import cohort_obs, cohort_of_files, describe_spots
from sagefm.stats.patients import join_copies

with job(snakemake) as log:
    inputs, params = snakemake.input, snakemake.params
    options = dict(params.task)
    cohort = cohort_of_files(inputs.samples)
    copies = find_duplicates(inputs.samples)
    for pair in copies.itertuples():
        names = pair.sample, pair.duplicate_of, pair.evidence
        log.info(
            "%s is %s again (%s); they are held out together, and their patients count as one",
            *names,
        )
    if inputs.duplicates:
        copies = pd.concat([read_duplicates(inputs.duplicates), copies], ignore_index=True)
    spots = describe_spots(cohort_obs(cohort.samples), params.rows, inputs.labels)
    samples = spots[["sample"]].astype(str).assign(cohort=params.rows[0]["cohort"])
    spots["patient"] = join_copies(spots["patient"].astype(str), samples, copies)
    spots["section"] = join_copies(samples["sample"], samples, copies)
    found = label_task(
        cohort,
        spots,
        options.pop("labels"),
        name=snakemake.wildcards.task,
        **options,
    )
    write_table(found.spots, snakemake.output.labels)
    write_table(found.classes, snakemake.output.classes)
    write_table(found.genes, snakemake.output.genes)
    with atomic(snakemake.output.withheld) as temporary:
        temporary.write_text("".join(f"{gene}\n" for gene in found.withheld()))
