"""Copy a released checkpoint after checking it against the panel."""

from sagefm.common.job import job
from sagefm.networks.checkpoint import take_checkpoint
from sagefm.sections.genes import read_panel

with job(snakemake):
    inputs = snakemake.input
    n_genes = len(read_panel(inputs.panel))
    take_checkpoint(inputs.path, snakemake.params.network, n_genes, snakemake.output.best)
