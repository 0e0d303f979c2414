"""Take one file out of an archive."""

from sagefm.archives import extract
from sagefm.script import job

with job(snakemake):
    extract(snakemake.input.archive, snakemake.wildcards.member, snakemake.output.raw)
