"""Write the lock table's rows of the raw files that lie there, and hold them to those it has."""

from tqdm import tqdm

from sagefm.lock_table import LockTable
from sagefm.raw_files import record
from sagefm.raw_plan import Origin
from sagefm.script import job

with job(snakemake) as log:
    params = snakemake.params
    table = LockTable(params.lock)
    there = [
        record(Origin(**origin), file, params.folder, table)
        for file, origin in tqdm(params.origins.items(), unit="file", disable=None)
    ]
    log.info(
        "%s: %d files there and as recorded, %d to be fetched",
        params.lock,
        sum(there),
        len(there) - sum(there),
    )
