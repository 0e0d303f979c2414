"""Predict a task's classes from one representation."""

from sagefm.annotation.predict import AnnotationPlan, annotate_task
from sagefm.annotation.terms import TEXT
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.representations.files import read_representation

with job(snakemake):
    labels = read_table(snakemake.input.labels, dtype=TEXT)
    representation = read_representation(snakemake.input.representation)
    predictions, fits = annotate_task(
        representation, labels, AnnotationPlan(**snakemake.params.plan)
    )
    write_table(predictions, snakemake.output.predictions)
    write_table(fits, snakemake.output.fits)
