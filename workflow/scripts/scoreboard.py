"""Put the chapters' claims into one table, and onto one page."""

import json
from pathlib import Path

from sagefm.claims import scoreboard
from sagefm.figures.scoreboard import scoreboard_html
from sagefm.io import atomic, read_table, write_table
from sagefm.script import job

with job(snakemake):
    chapters = [read_table(path, dtype=str) for path in snakemake.input.chapters]
    board = scoreboard(read_table(snakemake.input.reported, dtype=str), chapters)
    write_table(board, snakemake.output.table)
    provenance = json.loads(Path(snakemake.input.provenance).read_text())
    with atomic(snakemake.output.page) as temporary:
        temporary.write_text(scoreboard_html(board, snakemake.params.run, provenance))
