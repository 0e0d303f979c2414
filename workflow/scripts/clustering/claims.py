"""Say what clusters against labels have to say of the paper's claims."""

import pandas as pd

from sagefm.clustering.claims import clustering_claims
from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.representations.catalogue import Catalogue
from sagefm.stats.patients import patients_seen
from sagefm.training.seen import mark_seen

with job(snakemake):
    inputs, params = snakemake.input, snakemake.params
    split = read_table(inputs.split, dtype=str).fillna("")
    seen = patients_seen(mark_seen(split, pd.DataFrame(params.rows)))
    claims = clustering_claims(
        params.model,
        params.models,
        params.cohort,
        params.title,
        read_table(inputs.summary),
        read_table(inputs.comparisons),
        params.paper_data,
        seen,
        Catalogue(params.catalogue),
    )
    write_table(claims_table(claims), snakemake.output.claims)
