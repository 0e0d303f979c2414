"""Say what the embeddings' spatial coherence has to say of the paper's claims."""

import pandas as pd

from sagefm.chapter_claims import coherence_claims
from sagefm.claims import claims_table
from sagefm.io import read_table, write_table
from sagefm.script import job
from sagefm.split import patients_seen, scored_samples

with job(snakemake):
    params = snakemake.params
    split = read_table(snakemake.input.split, dtype=str).fillna("")
    # No cohort is named: its samples that the model was trained on are scored as well.
    seen = patients_seen(scored_samples(split, pd.DataFrame(params.rows), cohort=""))
    table = read_table(snakemake.input.table)
    claims = coherence_claims(params.model, params.cohort, table, params.paper_data, seen)
    write_table(claims_table(claims), snakemake.output.claims)
