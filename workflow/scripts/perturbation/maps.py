"""Map the response to a few pairs of a table on one section."""

from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.perturbation.maps import pairs_to_map, response_map
from sagefm.perturbation.terms import hidden_outputs
from sagefm.sections.gene_summary import summary_over
from sagefm.sections.graph_files import graph_files
from sagefm.training.scored_sections import scored_sections

with job(snakemake):
    params, inputs, wildcards = snakemake.params, snakemake.input, snakemake.wildcards
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    graphs = graph_files(inputs.samples, inputs.graphs)
    sections, _ = scored_sections(
        inputs.samples, graphs, inputs.split, params.rows, wildcards.cohort
    )
    model = FittedModel.load(inputs.checkpoint, device)
    pairs = read_table(inputs.pairs)
    chosen = pairs_to_map(pairs, params.named)
    genes = summary_over(inputs.genes, sections, params.levels_over)
    hidden = [hidden_outputs(pairs, source, params.hidden) for source in chosen["input"]]
    maps = response_map(model, sections, genes, chosen, hidden)
    names = {"model": wildcards.model, "cohort": wildcards.cohort}
    write_table(maps.assign(**names), snakemake.output.maps)
