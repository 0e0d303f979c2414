"""Bring a released checkpoint, checked against the panel."""

from sagefm.fetch import fetch_checkpoint
from sagefm.panel import read_panel
from sagefm.script import job

with job(snakemake):
    n_genes = len(read_panel(snakemake.input.panel))
    params = snakemake.params
    fetch_checkpoint(params.released, params.network, n_genes, snakemake.output.best)
