"""Score a screen against tables of known pairs, beside co-expression, popularity and chance."""

import pandas as pd

from sagefm.coexpression import neighbour_correlation
from sagefm.io import read_h5ad, read_table, write_table
from sagefm.jacobian import Jacobian
from sagefm.screen_scores import read_truth, score_table, scores_of
from sagefm.script import job
from sagefm.sections import sections_of
from sagefm.split import paths_of_part

with job(snakemake) as log:
    params, inputs = snakemake.params, snakemake.input
    screen = read_h5ad(inputs.screen)
    jacobian = Jacobian(inputs.jacobian) if inputs.jacobian else None
    genes = pd.Index(read_table(inputs.gene_means)["gene"])
    split = read_table(inputs.split, dtype=str)
    learnt = inputs.training_samples, inputs.training_graphs
    train = sections_of(*(paths_of_part(split, paths, "train") for paths in learnt))
    tables = []
    for name, path in zip(params.tables, inputs.tables, strict=True):
        truth = read_truth(read_table(path), screen.obs_names, screen.var_names, name)
        columns = (genes.get_indexer(side) for side in (truth.inputs, truth.outputs))
        found = neighbour_correlation(train, params.normalisation, *columns)
        correlations = dict(zip(("coexpression", "coexpression_within"), found, strict=True))
        scores = scores_of(truth, screen, jacobian, correlations)
        mean = screen.var["mean"][truth.outputs].to_numpy()
        table = score_table(truth, scores, mean, params.permutations, params.seed)
        table.insert(0, "truth", name)
        tables.append(table)
        log.info("%s: %d pairs scored", name, len(truth.listed))
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "cohort", snakemake.wildcards.cohort)
    table.insert(0, "model", snakemake.wildcards.model)
    write_table(table, snakemake.output.scores)
