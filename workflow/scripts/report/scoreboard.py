"""Put the chapters' claims into one table, and onto one page."""

import json
from pathlib import Path

from sagefm.claims.scoreboard import scoreboard, scoreboard_html
from sagefm.common.io import atomic, read_table, write_table
from sagefm.common.job import job

with job(snakemake):
    chapters = [read_table(path, dtype=str) for path in snakemake.input.chapters]
    board = scoreboard(read_table(snakemake.input.reported, dtype=str), chapters)
    write_table(board, snakemake.output.table)
    provenance = json.loads(Path(snakemake.input.provenance).read_text())
    with atomic(snakemake.output.page) as temporary:
        temporary.write_text(scoreboard_html(board, snakemake.params.run, provenance))
