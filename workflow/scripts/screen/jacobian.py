"""Write a model's mean Jacobian on a cohort: every gene by every gene, as two thin factors."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.networks.checkpoint import load_network
from sagefm.networks.device import prepare_machine
from sagefm.networks.registry import describe
from sagefm.screen.jacobian import mean_jacobian, write_jacobian
from sagefm.screen.spots import spots_of_cohort

with job(snakemake):
    params, inputs, wildcards = snakemake.params, snakemake.input, snakemake.wildcards
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    drawn = spots_of_cohort(inputs, params.rows, wildcards.cohort, **params.spots)
    genes = read_table(inputs.gene_means)["gene"].tolist()
    network = load_network(inputs.checkpoint, params.network, len(genes)).to(device)
    layout = describe(params.network).layout(params.kind)
    left = mean_jacobian(network, layout, drawn, params.normalisation, device)
    write_jacobian(snakemake.output.jacobian, left, network, genes, drawn.sizes)
