"""Say what pretraining has to say of the paper's claims."""

import json
from pathlib import Path

from sagefm.claims.reported import reported_values
from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.training.claims import pretraining_claims

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    training = json.loads(Path(inputs.training).read_text()) if inputs.training else {}
    organs, duplicates = read_table(inputs.organs), read_table(inputs.duplicates, dtype=str)
    split = read_table(inputs.split)
    paper = read_table(inputs.reported)
    reported = tuple(
        int(reported_values(paper, unit)["pretraining_set"]) for unit in ("samples", "organs")
    )
    claims = pretraining_claims(
        params.model, organs, duplicates, split, training, params.paper_data, reported
    )
    write_table(claims_table(claims), snakemake.output.claims)
