"""Put the chapters' claims into one table, and onto one page."""

import json
from pathlib import Path

from sagefm.claims.scoreboard import scoreboard, scoreboard_html
from sagefm.claims.subjects import read_trainings
from sagefm.common.io import atomic, read_table, write_table
from sagefm.common.job import job

with job(snakemake):
    given, params = snakemake.input, snakemake.params
    chapters = [read_table(path, dtype=str) for path in given.chapters]
    board = scoreboard(read_table(given.reported, dtype=str), chapters)
    write_table(board, snakemake.output.table)
    provenance = json.loads(Path(given.provenance).read_text())
    trainings = read_trainings(params.titles, params.trained, given.trainings)
    models = {name: (title, trainings[name].words) for name, title in params.titles.items()}
    with atomic(snakemake.output.page) as temporary:
        temporary.write_text(scoreboard_html(board, params.run, models, provenance))
