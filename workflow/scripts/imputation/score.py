"""Remove genes from the sections of a cohort and score a model's predictions of them."""

import pandas as pd

from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.imputation.score import ImputationPlan, score_sections
from sagefm.imputation.tables import summarise_imputation
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.sections.graph_files import graph_files
from sagefm.training.scored_sections import scored_sections

with job(snakemake):
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    graphs = graph_files(inputs.samples, inputs.graphs)
    sections, scored = scored_sections(
        inputs.samples, graphs, inputs.split, params.rows, snakemake.wildcards.cohort
    )
    facts = scored[["sample", "patient", "patient_seen"]].to_dict("records")
    means = read_table(inputs.gene_means)
    model = FittedModel.load(inputs.checkpoint, device)
    plan = ImputationPlan(**params.plan)
    scores = score_sections(model, sections, facts, means["mean"].to_numpy(), plan)
    samples = pd.concat(scores, ignore_index=True)
    names = {
        "model": snakemake.wildcards.model,
        "cohort": snakemake.wildcards.cohort,
        "normalisation": model.normalisation,
    }
    write_table(samples.assign(**names), output.samples)
    write_table(summarise_imputation(samples).assign(**names), output.summary)
