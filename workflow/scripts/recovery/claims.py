"""Say what recovery has to say of the paper's claims."""

import pandas as pd

from sagefm.claims.reported import reported_values
from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.recovery.claims import recovery_claims
from sagefm.stats.patients import patients_seen
from sagefm.training.seen import scored_samples

with job(snakemake):
    params = snakemake.params
    split = read_table(snakemake.input.split, dtype=str).fillna("")
    seen = patients_seen(scored_samples(split, pd.DataFrame(params.rows), params.cohort))
    claims = recovery_claims(
        params.model,
        params.cohort,
        params.title,
        read_table(snakemake.input.summary),
        params.paper_data,
        seen,
        reported_values(read_table(snakemake.input.reported), "share of genes")["recovery"],
    )
    write_table(claims_table(claims), snakemake.output.claims)
