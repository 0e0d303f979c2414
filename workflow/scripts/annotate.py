"""Predict a task's classes from one representation."""

from sagefm.annotation import Plan, annotate
from sagefm.io import read_table, write_table
from sagefm.representations import read_representation
from sagefm.score_rows import TEXT
from sagefm.script import job

with job(snakemake):
    labels = read_table(snakemake.input.labels, dtype=TEXT)
    representation = read_representation(snakemake.input.representation)
    predictions, fits = annotate(representation, labels, Plan(**snakemake.params.plan))
    write_table(predictions, snakemake.output.predictions)
    write_table(fits, snakemake.output.fits)
