"""Write a cohort's embeddings by a trained model: nothing is hidden from it."""

import torch

from sagefm.batches import Batches
from sagefm.checkpoint import load_network
from sagefm.inference import embed, prepare_machine
from sagefm.model import input_layout
from sagefm.representations import write_representation
from sagefm.script import job
from sagefm.sections import sections_of

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    sections = sections_of(inputs.samples, inputs.graphs)
    network = load_network(inputs.checkpoint, params.network, sections[0].n_genes()).to(device)
    layout = input_layout(params.network, params.kind)
    batches = Batches(sections, layout, params.normalisation, mask_share=0.0)
    with torch.inference_mode():
        blocks = (embed(network, batch.to(device)).cpu().numpy() for batch in batches.epoch(0))
        write_representation(
            snakemake.output.representation,
            snakemake.params.name,
            inputs.samples,
            blocks,
            network.widths[-1],
        )
