"""Say what recovery has to say of the paper's claims."""

from sagefm.chapter_claims import recovery_claims
from sagefm.claims import claims_table
from sagefm.io import read_table, write_table
from sagefm.script import job

with job(snakemake):
    params = snakemake.params
    claims = recovery_claims(
        params.model,
        params.cohort,
        params.title,
        read_table(snakemake.input.summary),
        params.paper_data,
    )
    write_table(claims_table(claims), snakemake.output.claims)
