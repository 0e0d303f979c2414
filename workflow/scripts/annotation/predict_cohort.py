"""Classify the spots of a cohort without labels, using a task's reference."""

from sagefm.annotation.reference import Reference
from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.representations.files import read_representation

with job(snakemake):
    reference = Reference.load(snakemake.input.reference)
    representation = read_representation(snakemake.input.representation)
    classes = reference.classify(representation, snakemake.params.confidence)
    write_table(classes, snakemake.output.classes)
