"""Say what the tasks have to say of claims 4 and 5."""

from pathlib import Path

from sagefm.annotation.claims import Judged, task_claim
from sagefm.claims.reported import reported_values
from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.representations.catalogue import Catalogue

with job(snakemake):
    given, params = snakemake.input, snakemake.params
    reported = reported_values(read_table(given.reported), "accuracy")
    claims = []
    for task, catalogue, scores, comparisons, withheld in zip(
        params.tasks,
        map(Catalogue, params.catalogues),
        given.scores,
        given.comparisons,
        given.withheld,
        strict=True,
    ):
        judged = Judged(
            **task,
            headline=params.headline,
            reported=reported.get(task["claim"]),
            withheld=len(Path(withheld).read_text().split()),
        )
        tables = read_table(scores), read_table(comparisons)
        claims.append(task_claim(judged, *tables, catalogue))
    write_table(claims_table(claims), snakemake.output.claims)
