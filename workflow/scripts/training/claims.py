"""Judge the paper's claims on pretraining for each model."""

from sagefm.claims.reported import reported_values
from sagefm.claims.subjects import read_summaries
from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.training.claims import pretraining_claims

with job(snakemake):
    params, given = snakemake.params, snakemake.input
    summaries = read_summaries(params.trained, given.trainings)
    organs, duplicates = read_table(given.organs), read_table(given.duplicates, dtype=str)
    paper = read_table(given.reported)
    reported = tuple(
        int(reported_values(paper, unit)["pretraining_set"]) for unit in ("samples", "organs")
    )
    claims = [
        claim
        for model, split in zip(params.models, map(read_table, given.splits), strict=True)
        for claim in pretraining_claims(
            model,
            organs,
            duplicates,
            split,
            summaries.get(model, {}),
            params.paper_data,
            reported,
        )
    ]
    write_table(claims_table(claims), snakemake.output.claims)
