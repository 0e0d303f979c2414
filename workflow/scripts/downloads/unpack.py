"""Extract one file from an archive."""

from sagefm.common.job import job
from sagefm.downloads.archives import extract

with job(snakemake):
    extract(snakemake.input.archive, snakemake.wildcards.member, snakemake.output.raw)
