"""Judge the paper's claim on perturbed pairs, for each model."""

from sagefm.claims.subjects import subjects
from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.perturbation.claims import Findings, perturbation_claim

with job(snakemake):
    given, params = snakemake.input, snakemake.params
    paths = zip(given.summary, given.discrimination, strict=True)  # by model, then by pair table
    claims = []
    for subject in subjects(params, params.cohort, given.trainings):
        findings = {table: Findings(*map(read_table, next(paths))) for table in params.tables}
        claims.append(perturbation_claim(subject, findings))
    write_table(claims_table(claims), snakemake.output.claims)
