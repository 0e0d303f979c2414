"""Bring one raw file from where it is published."""

from sagefm.lock_table import LockTable
from sagefm.raw_files import bring
from sagefm.raw_plan import Origin
from sagefm.script import job

with job(snakemake):
    params, resources = snakemake.params, snakemake.resources
    bring(
        Origin(**params.origin),
        snakemake.wildcards.file,
        resources.raw_folder,
        LockTable(resources.lock),
        resources.per_host,
    )
