"""Write a cohort's embeddings by a model's network before its first training step."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.networks.recipe import read_recipe
from sagefm.representations.embedding import write_embedding
from sagefm.sections.cohort import cohort_of_files
from sagefm.sections.graph_files import graph_files
from sagefm.sections.section import sections_of
from sagefm.training.files import batches_of, recipe_of
from sagefm.training.split import paths_of_part
from sagefm.training.trainer import initial_network

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    split = read_table(inputs.split, dtype=str)
    files = [str(path) for path in paths_of_part(split, inputs.training_samples, "train")]
    sections = sections_of(files, graph_files(files, inputs.training_graphs))
    training = batches_of(sections, params.recipe, params.kind, workers=1)
    network = initial_network(recipe_of(params.recipe), training)
    model = FittedModel(network, read_recipe(inputs.recipe), device)
    graphs = graph_files(inputs.samples, inputs.graphs)
    cohort = cohort_of_files(inputs.samples, graphs, inputs.withheld)
    name = f"untrained-{snakemake.wildcards.model}"
    fitted_here = params.pretrained_here and network.fits_input
    write_embedding(snakemake.output.representation, name, cohort, model, fitted_here)
