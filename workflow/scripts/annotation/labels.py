"""Write a task's labels, its classes, and the genes that its labels were made of."""

from sagefm.annotation.labels import label_task
from sagefm.common.io import atomic, write_table
from sagefm.common.job import job
from sagefm.sections.cohort import cohort_obs, cohort_of_files, describe_spots

with job(snakemake):
    inputs, params = snakemake.input, snakemake.params
    options = dict(params.task)
    cohort = cohort_of_files(inputs.samples)
    found = label_task(
        cohort,
        describe_spots(cohort_obs(cohort.samples), params.rows, inputs.labels),
        options.pop("labels"),
        name=snakemake.wildcards.task,
        **options,
    )
    write_table(found.spots, snakemake.output.labels)
    write_table(found.classes, snakemake.output.classes)
    write_table(found.genes, snakemake.output.genes)
    with atomic(snakemake.output.withheld) as temporary:
        temporary.write_text("".join(f"{gene}\n" for gene in found.withheld()))
