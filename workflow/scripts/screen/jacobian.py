"""Write a model's mean Jacobian on a cohort: every gene by every gene, as two thin factors."""

from sagefm.common.job import job
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.screen.jacobian import mean_jacobian, write_jacobian
from sagefm.screen.spots import spots_of_cohort

with job(snakemake):
    params, inputs, wildcards = snakemake.params, snakemake.input, snakemake.wildcards
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    drawn = spots_of_cohort(inputs, params.rows, wildcards.cohort, **params.spots)
    model = FittedModel.load(inputs.checkpoint, device)
    left = mean_jacobian(model, drawn)
    write_jacobian(snakemake.output.jacobian, left, model, drawn.sizes)
