"""Correlate inputs among the neighbours with outputs at the spot, over the training sections."""

import numpy as np
import pandas as pd

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.perturbation.coexpression import (
    neighbour_correlation,
    words_of_unmeasured,
    write_coexpression,
)
from sagefm.sections.section import sections_of
from sagefm.training.split import paths_of_part

with job(snakemake) as log:
    inputs, reverse = snakemake.input, snakemake.wildcards.direction == "reverse"
    split = read_table(inputs.split, dtype=str)
    train = [paths_of_part(split, paths, "train") for paths in (inputs.samples, inputs.graphs)]
    genes = read_table(inputs.gene_means)["gene"]
    column = pd.Series(np.arange(len(genes)), genes)
    pairs = read_table(inputs.pairs)
    sides = [np.unique(column[pairs[side]]) for side in ("input", "output")]
    sources, targets = sides[::-1] if reverse else sides
    sections = sections_of(*train)
    coded = np.stack([column[pairs[side]].to_numpy() for side in ("input", "output")], axis=1)
    if words := words_of_unmeasured(sections, coded):
        log.info("%s", words)
    found = neighbour_correlation(sections, snakemake.params.normalisation, sources, targets)
    names = genes.to_numpy()
    write_coexpression(snakemake.output.correlation, names[sources], names[targets], *found)
