"""Judge the paper's claim on recovery, for each model."""

from sagefm.claims.reported import reported_values
from sagefm.claims.subjects import subjects
from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.recovery.claims import recovery_claim
from sagefm.training.seen import scored_samples

with job(snakemake):
    given, params = snakemake.input, snakemake.params
    models = subjects(params, params.cohort, given.trainings, given.splits, scored_samples)
    tables = zip(given.summary, given.patients, given.comparisons, strict=True)
    reported = reported_values(read_table(given.reported), "share of genes")["recovery"]
    claims = [
        recovery_claim(subject, *map(read_table, paths), reported)
        for subject, paths in zip(models, tables, strict=True)
    ]
    write_table(claims_table(claims), snakemake.output.claims)
