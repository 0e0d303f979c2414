"""Write a cohort's embeddings by a trained model: no gene is hidden but those withheld."""

from sagefm.common.job import job
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.representations.embedding import write_embedding
from sagefm.sections.cohort import cohort_of_files

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    cohort = cohort_of_files(inputs.samples, inputs.graphs, inputs.withheld)
    model = FittedModel.load(inputs.checkpoint, device)
    name = f"sagefm-{snakemake.wildcards.model}"
    write_embedding(snakemake.output.representation, name, cohort, model, params.pretrained_here)
