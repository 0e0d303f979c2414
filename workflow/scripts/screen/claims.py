"""Judge the paper's claim *interpretable* by the screen, for each model."""

from sagefm.claims.subjects import subjects
from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.screen.claims import interpretable_claim

with job(snakemake):
    given, params = snakemake.input, snakemake.params
    models = subjects(params, params.cohort, given.trainings)
    claims = [
        interpretable_claim(subject, read_table(path))
        for subject, path in zip(models, given.scores, strict=True)
    ]
    write_table(claims_table(claims), snakemake.output.claims)
