"""Say what the perturbation of pairs has to say of the paper's claim 6."""

from sagefm.claims import claims_table
from sagefm.io import read_table, write_table
from sagefm.perturbation_claims import Findings, perturbation_claims
from sagefm.script import job

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
