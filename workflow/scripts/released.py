"""Take a released checkpoint, checked against the panel."""

from sagefm.panel import read_panel
from sagefm.released import take_checkpoint
from sagefm.script import job

with job(snakemake):
    inputs = snakemake.input
    n_genes = len(read_panel(inputs.panel))
    take_checkpoint(inputs.path, snakemake.params.network, n_genes, snakemake.output.best)
