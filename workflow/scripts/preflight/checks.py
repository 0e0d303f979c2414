"""Check services, disk and packages, and stop if something would fail later."""

from pathlib import Path

from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.downloads.plan import Origin
from sagefm.preflight.disk import Need
from sagefm.preflight.runner import look_first

with job(snakemake):
    params = snakemake.params
    missing = [
        Origin(**origin)
        for file, origin in params.origins.items()
        if not (Path(params.folder) / file).exists()
    ]
    needs = [Need(**need) for need in params.needs]
    table = look_first(missing, needs, Path(snakemake.input.lock[0]).parent)
    write_table(table, snakemake.output.table)
