"""Score the recovery of hidden genes by a model and untrained baselines, on one cohort."""

import tempfile
from pathlib import Path

import pandas as pd

from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.recovery.comparisons import compare, recovery_by_patient
from sagefm.recovery.score import recover, recovery_maps
from sagefm.recovery.tables import gene_table, genes_to_map, recovery_summary
from sagefm.sections.graph_files import graph_files
from sagefm.sections.section import measured_genes_of
from sagefm.training.scored_sections import scored_sections

with job(snakemake) as log:
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    graphs = graph_files(inputs.samples, inputs.graphs)
    sections, scored = scored_sections(
        inputs.samples, graphs, inputs.split, params.rows, snakemake.wildcards.cohort
    )
    facts = scored[["sample", "patient", "organ", "patient_seen"]].to_dict("records")
    means = read_table(inputs.gene_means)
    model = FittedModel.load(inputs.checkpoint, device)
    template = model.batches(sections, mask_share=params.mask_share, seed=params.seed)
    gene_mean = means["mean"].to_numpy()
    with tempfile.TemporaryDirectory(dir=snakemake.resources.tmpdir) as scratch:
        ranking = (params.rank_spots, Path(scratch))
        recovery = recover(model, sections, template, gene_mean, facts, *ranking, params.every_gene)
    names = {"model": snakemake.wildcards.model, "cohort": snakemake.wildcards.cohort}
    genes = gene_table(recovery, means["gene"].tolist())
    largest = max(sections, key=lambda section: section.n_spots())
    there = means["gene"][measured_genes_of(largest.counts_path)]
    shown = genes_to_map(genes, there)
    maps = recovery_maps(model, largest, template, shown, gene_mean)
    samples = pd.DataFrame(recovery.samples)
    patients = recovery_by_patient(samples)
    tables = {
        output.summary: recovery_summary(recovery, genes),
        output.samples: samples,
        output.patients: patients,
        output.comparisons: compare(patients),
        output.genes: genes,
        output.spots: pd.concat(recovery.spots, ignore_index=True),
        output.maps: maps,
    }
    for path, table in tables.items():
        write_table(table.assign(**names), path)
