"""Say what clusters against labels have to say of the paper's claims."""

import pandas as pd

from sagefm.claims import claims_table
from sagefm.clustering_claims import clustering_claims
from sagefm.io import read_table, write_table
from sagefm.script import job
from sagefm.split import patients_seen, scored_samples

with job(snakemake):
    inputs, params = snakemake.input, snakemake.params
    split = read_table(inputs.split, dtype=str).fillna("")
    # No cohort is named: its samples that the model was trained on are scored as well.
    seen = patients_seen(scored_samples(split, pd.DataFrame(params.rows), cohort=""))
    claims = clustering_claims(
        params.model,
        params.models,
        params.cohort,
        params.title,
        read_table(inputs.summary),
        read_table(inputs.comparisons),
        params.paper_data,
        seen,
    )
    write_table(claims_table(claims), snakemake.output.claims)
