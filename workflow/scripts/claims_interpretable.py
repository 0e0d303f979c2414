"""Say what the screen has to say of the adjective *interpretable*."""

from sagefm.claims import claims_table
from sagefm.io import read_table, write_table
from sagefm.screen_claims import interpretable_claims
from sagefm.script import job

with job(snakemake):
    params, scores = snakemake.params, read_table(snakemake.input.scores)
    claims = interpretable_claims(
        params.model, params.cohort, params.title, scores, params.paper_data
    )
    write_table(claims_table(claims), snakemake.output.claims)
