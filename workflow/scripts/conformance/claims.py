"""Judge whether this run reproduces the released embeddings."""

from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.conformance.claims import conformance_claims

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    summary, held = read_table(inputs.summary), read_table(inputs.sections)
    claims = conformance_claims(params.model, params.cohort, summary, held, params.paper_data)
    write_table(claims_table(claims), snakemake.output.claims)
