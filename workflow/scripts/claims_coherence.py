"""Say what the embeddings' spatial coherence has to say of the paper's claims."""

from sagefm.chapter_claims import coherence_claims
from sagefm.claims import claims_table
from sagefm.io import read_table, write_table
from sagefm.script import job

with job(snakemake):
    params = snakemake.params
    table = read_table(snakemake.input.table)
    claims = coherence_claims(params.model, params.cohort, table, params.paper_data)
    write_table(claims_table(claims), snakemake.output.claims)
