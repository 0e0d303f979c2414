"""Write rows of the lock table for existing raw files, or check the files against their rows."""

from sagefm.common.job import job
from sagefm.common.progress import progress_bar
from sagefm.downloads.fetch import record
from sagefm.downloads.lock import LockTable
from sagefm.downloads.plan import Origin

with job(snakemake) as log:
    params = snakemake.params
    table = LockTable(params.lock)
    there = [
        record(Origin(**origin), file, params.folder, table)
        for file, origin in progress_bar(params.origins.items(), unit="file")
    ]
    log.info(
        "%s: %d files there and as recorded, %d to be fetched",
        params.lock,
        sum(there),
        len(there) - sum(there),
    )
