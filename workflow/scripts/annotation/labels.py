"""Write a task's labels, its classes, and the genes that its labels were made of."""

from sagefm.annotation.labels import label_task
from sagefm.common.io import atomic, write_table
from sagefm.common.job import job
from sagefm.sections.cohort import cohort_of_files

with job(snakemake):
    options = dict(snakemake.params.task)
    found = label_task(
        cohort_of_files(snakemake.input.samples),
        options.pop("labels"),
        name=snakemake.wildcards.task,
        **options,
    )
    write_table(found.spots, snakemake.output.labels)
    write_table(found.classes, snakemake.output.classes)
    write_table(found.genes, snakemake.output.genes)
    with atomic(snakemake.output.withheld) as temporary:
        temporary.write_text("".join(f"{gene}\n" for gene in found.withheld()))
