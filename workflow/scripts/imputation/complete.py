"""Write one section with the panel genes it lacks predicted."""

from sagefm.common.job import job
from sagefm.imputation.complete import complete_section
from sagefm.networks.checkpoint import load_network
from sagefm.networks.device import prepare_machine
from sagefm.networks.registry import describe
from sagefm.sections.section import sections_of

with job(snakemake) as log:
    params, inputs = snakemake.params, snakemake.input
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    (section,) = sections_of([inputs.sample], [inputs.graph])
    network = load_network(inputs.checkpoint, params.network, section.n_genes())
    layout = describe(params.network).layout(params.kind)
    names = (params.normalisation, snakemake.wildcards.model)
    output = snakemake.output.imputed
    predicted = complete_section(network, section, layout, *names, device, output)
    if predicted:
        log.info("%s: %d of %d genes predicted", section.sample, predicted, section.n_genes())
    else:
        log.info("%s: lacks no gene of the panel, so nothing is predicted", section.sample)
