"""Say what pretraining has to say of the paper's claims."""

import json
from pathlib import Path

from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.training.claims import pretraining_claims

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    training = json.loads(Path(inputs.training).read_text()) if inputs.training else {}
    organs, duplicates = read_table(inputs.organs), read_table(inputs.duplicates, dtype=str)
    split = read_table(inputs.split)
    claims = pretraining_claims(
        params.model, organs, duplicates, split, training, params.paper_data
    )
    write_table(claims_table(claims), snakemake.output.claims)
