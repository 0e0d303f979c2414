"""Say what the embeddings' spatial coherence has to say of the paper's claims."""

import pandas as pd

from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.representations.catalogue import Catalogue
from sagefm.representations.claims import coherence_claims
from sagefm.stats.patients import patients_seen
from sagefm.training.seen import mark_seen

with job(snakemake):
    params = snakemake.params
    split = read_table(snakemake.input.split, dtype=str).fillna("")
    seen = patients_seen(mark_seen(split, pd.DataFrame(params.rows)))
    table = read_table(snakemake.input.table)
    claims = coherence_claims(
        params.model,
        params.cohort,
        table,
        params.paper_data,
        seen,
        Catalogue(params.catalogue),
    )
    write_table(claims_table(claims), snakemake.output.claims)
