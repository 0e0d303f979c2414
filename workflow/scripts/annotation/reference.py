"""Fit a task's classifier on all labelled spots, after measuring it on held-out ones."""

from sagefm.annotation.reference import Reference
from sagefm.annotation.terms import TEXT
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.representations.files import read_representation

with job(snakemake):
    reference = Reference.fit(
        read_representation(snakemake.input.representation),
        read_table(snakemake.input.labels, dtype=TEXT),
        **snakemake.params.options,
    )
    reference.save(snakemake.output.reference)
    write_table(reference.quality(), snakemake.output.quality)
    write_table(reference.reliability, snakemake.output.reliability)
    write_table(reference.calls, snakemake.output.calls)
