"""Perturb the pairs of a table, then the same pairs with input and output exchanged."""

import shutil
from pathlib import Path

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.common.state import exclusive, state_folder
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.perturbation.experiment import perturb_pairs
from sagefm.perturbation.responses import write_responses
from sagefm.sections.gene_summary import summary_over
from sagefm.sections.graph_files import graph_files
from sagefm.training.scored_sections import scored_sections

with job(snakemake) as log:
    params, inputs, wildcards = snakemake.params, snakemake.input, snakemake.wildcards
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    graphs = graph_files(inputs.samples, inputs.graphs)
    sections, facts = scored_sections(
        inputs.samples, graphs, inputs.split, params.rows, wildcards.cohort
    )
    pairs = read_table(inputs.pairs).fillna({"group": ""})
    exchanged = pairs.rename(columns={"input": "output", "output": "input"})
    means = read_table(inputs.gene_means)
    model = FittedModel.load(inputs.checkpoint, device)
    recipe = {"layout": model.layout, **params.settings, "hidden": params.hidden}
    recipe |= {"normalisation": model.normalisation, "code": params.code}
    files = [inputs.checkpoint, inputs.pairs, *inputs.samples, *graphs]
    folder = state_folder(params.state, recipe, files)
    with exclusive(folder):
        genes = summary_over(inputs.genes, sections, params.settings["levels_over"])
        for output, own in zip(snakemake.output.responses, (pairs, exchanged), strict=True):
            given = (sections, facts, own, means, genes, params.settings)
            state = folder / Path(output).stem
            write_responses(output, perturb_pairs(model, *given, state, params.hidden))
        shutil.rmtree(folder.parent)
