"""Write a trained model's embeddings of a cohort; only withheld genes are hidden."""

from sagefm.common.job import job
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.representations.embedding import write_embedding
from sagefm.sections.cohort import cohort_of_files
from sagefm.sections.graph_files import graph_files

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    graphs = graph_files(inputs.samples, inputs.graphs)
    cohort = cohort_of_files(inputs.samples, graphs, inputs.withheld)
    model = FittedModel.load(inputs.checkpoint, device)
    name = f"sagefm-{snakemake.wildcards.model}"
    write_embedding(snakemake.output.representation, name, cohort, model, params.pretrained_here)
