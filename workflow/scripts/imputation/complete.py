"""Write a section with its missing panel genes predicted."""

from sagefm.common.job import job
from sagefm.imputation.complete import complete_section
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.sections.graph_files import graph_files
from sagefm.sections.section import sections_of

with job(snakemake) as log:
    inputs = snakemake.input
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    (section,) = sections_of([inputs.sample], graph_files([inputs.sample], inputs.graphs))
    model, output = FittedModel.load(inputs.checkpoint, device), snakemake.output.imputed
    predicted = complete_section(model, section, snakemake.wildcards.model, output)
    if predicted:
        log.info("%s: %d of %d genes predicted", section.sample, predicted, section.n_genes())
    else:
        log.info("%s: every gene of the panel was measured, so none is predicted", section.sample)
