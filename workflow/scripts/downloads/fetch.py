"""Fetch one raw file from its source."""

from sagefm.common.job import job
from sagefm.downloads.fetch import bring
from sagefm.downloads.lock import LockTable
from sagefm.downloads.plan import Origin

with job(snakemake):
    params, resources = snakemake.params, snakemake.resources
    bring(
        Origin(**params.origin),
        snakemake.wildcards.file,
        resources.raw_folder,
        LockTable(resources.lock),
        resources.per_host,
    )
