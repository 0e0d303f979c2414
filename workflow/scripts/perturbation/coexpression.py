"""Correlate inputs among the neighbours with outputs at the spot, over the training sections."""

import numpy as np
import pandas as pd

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.perturbation.coexpression import neighbour_correlation, write_coexpression
from sagefm.sections.section import sections_of
from sagefm.training.split import paths_of_part

with job(snakemake):
    inputs, reverse = snakemake.input, snakemake.wildcards.direction == "reverse"
    split = read_table(inputs.split, dtype=str)
    train = [paths_of_part(split, paths, "train") for paths in (inputs.samples, inputs.graphs)]
    genes = read_table(inputs.gene_means)["gene"]
    column = pd.Series(np.arange(len(genes)), genes)
    pairs = read_table(inputs.pairs)
    sides = [np.unique(column[pairs[side]]) for side in ("input", "output")]
    sources, targets = sides[::-1] if reverse else sides
    found = neighbour_correlation(
        sections_of(*train), snakemake.params.normalisation, sources, targets
    )
    names = genes.to_numpy()
    write_coexpression(snakemake.output.correlation, names[sources], names[targets], *found)
