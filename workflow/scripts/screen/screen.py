"""Screen a model: raise every input in the neighbours and read the responses of the outputs."""

import shutil

import torch

from sagefm.common.h5ad import write_h5ad
from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.common.state import exclusive, state_folder
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.screen.screen import ScreenPlan, build_screen, run_screen
from sagefm.screen.spots import screened_genes, spots_of_cohort
from sagefm.screen.tables import screen_table, top_outputs
from sagefm.sections.gene_summary import summary_over
from sagefm.sections.graph_files import graph_files

with job(snakemake) as log:
    params, inputs, wildcards = snakemake.params, snakemake.input, snakemake.wildcards
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    drawn = spots_of_cohort(inputs, params.rows, wildcards.cohort, **params.spots)
    model = FittedModel.load(inputs.checkpoint, device)
    genes = summary_over(inputs.genes, drawn.sections, params.levels_over).astype("float32")
    raised, read = screened_genes(
        genes, inputs.inputs or None, inputs.outputs or None, inputs.pairs
    )
    flat = (genes["high"] == genes["low"]).sum()
    log.info("%d inputs; %d genes of the panel do not vary in the cohort", len(raised), flat)
    columns = (raised, genes[["low", "high"]].to_numpy()[raised], read)
    plan = ScreenPlan(
        *(torch.from_numpy(column).to(device) for column in columns), len(drawn.contexts)
    )
    recipe = {"layout": model.layout, "normalisation": model.normalisation, **params.spots}
    recipe |= {"levels_over": params.levels_over}
    recipe |= {"inputs": raised.tolist(), "outputs": read.tolist(), "code": params.code}
    graphs = graph_files(inputs.samples, inputs.graphs)
    files = [inputs.checkpoint, inputs.split, *inputs.samples, *graphs]
    folder = state_folder(params.state, recipe, files)
    with exclusive(folder):
        batches = drawn.neighbourhoods(model, read)
        responses = run_screen(build_screen(model, batches, plan), folder)
        silent = (responses == 0).all(axis=(0, 1)).sum()
        log.info("%d of %d outputs answer to no input: predicted as 0", silent, len(read))
        table = screen_table(responses, drawn.sizes, genes.iloc[raised], genes.iloc[read])
        table.uns |= {"seed": params.spots["seed"], "model": wildcards.model}
        write_h5ad(table, snakemake.output.screen)
        write_table(top_outputs(table, params.top), snakemake.output.top)
        shutil.rmtree(folder.parent)
