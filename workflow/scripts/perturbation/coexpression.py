"""Correlate one gene of each pair in the neighbours with the other at the spot, both ways.

The correlation is over the training sections.
"""

import numpy as np
import pandas as pd

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.perturbation.coexpression import (
    neighbour_correlation,
    words_of_unmeasured,
    write_coexpression,
)
from sagefm.sections.graph_files import graph_files
from sagefm.sections.section import sections_of
from sagefm.training.split import paths_of_part

with job(snakemake) as log:
    inputs = snakemake.input
    split = read_table(inputs.split, dtype=str)
    train = paths_of_part(split, inputs.samples, "train")
    genes = read_table(inputs.gene_means)["gene"]
    column = pd.Series(np.arange(len(genes)), genes)
    pairs = read_table(inputs.pairs)
    coded = np.stack([column[pairs[side]].to_numpy() for side in ("input", "output")], axis=1)
    sections = sections_of(train, graph_files(train, inputs.graphs))
    names = genes.to_numpy()
    if words := words_of_unmeasured(sections, coded):
        log.info("%s", words)
    sides = [np.unique(side) for side in coded.T]
    both_ways = (sides, sides[::-1])
    for output, (sources, targets) in zip(snakemake.output.coexpression, both_ways, strict=True):
        found = neighbour_correlation(sections, snakemake.params.normalisation, sources, targets)
        write_coexpression(output, names[sources], names[targets], *found)
