"""Fetch a table of transcription factors and their targets."""

from sagefm.download import fetch_csv
from sagefm.script import job

with job(snakemake):
    params = snakemake.params
    fetch_csv(params.url, params.sha256, params.columns, snakemake.output.table)
