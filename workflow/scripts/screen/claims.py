"""Say what the screen has to say of the adjective *interpretable*."""

from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.screen.claims import interpretable_claims

with job(snakemake):
    params, scores = snakemake.params, read_table(snakemake.input.scores)
    claims = interpretable_claims(
        params.model, params.cohort, params.title, scores, params.paper_data
    )
    write_table(claims_table(claims), snakemake.output.claims)
