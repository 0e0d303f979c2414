"""Say what the perturbation of pairs has to say of the paper's claim 6."""

from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.perturbation.claims import Findings, perturbation_claims

with job(snakemake):
    inputs, params = snakemake.input, snakemake.params
    findings = {
        name: Findings(read_table(summary), read_table(discrimination))
        for name, summary, discrimination in zip(
            params.tables, inputs.summary, inputs.discrimination, strict=True
        )
    }
    claims = perturbation_claims(
        params.model, params.cohort, params.title, findings, params.paper_data
    )
    write_table(claims_table(claims), snakemake.output.claims)
