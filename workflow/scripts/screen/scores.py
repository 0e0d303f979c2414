"""Score a screen on tables of known pairs, against co-expression, abundance and chance."""

import pandas as pd

from sagefm.common.h5ad import read_h5ad
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.perturbation.coexpression import read_coexpression
from sagefm.screen.jacobian import Jacobian
from sagefm.screen.scores import read_truth, scores_of, screen_scores

with job(snakemake) as log:
    params, inputs = snakemake.params, snakemake.input
    screen = read_h5ad(inputs.screen)
    jacobian = Jacobian(inputs.jacobian) if inputs.jacobian else None
    tables = []
    for name, path, correlation in zip(
        params.tables, inputs.tables, inputs.coexpression, strict=True
    ):
        truth = read_truth(read_table(path), screen.obs_names, screen.var_names, name)
        found = read_coexpression(correlation).of(truth.inputs, truth.outputs)
        correlations = dict(zip(("coexpression", "coexpression_within"), found, strict=True))
        scores = scores_of(truth, screen, jacobian, correlations)
        mean = screen.var["mean"][truth.outputs].to_numpy()
        table = screen_scores(truth, scores, mean, params.permutations, params.seed)
        table.insert(0, "truth", name)
        tables.append(table)
        log.info("%s: %d pairs scored", name, len(truth.listed))
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "cohort", snakemake.wildcards.cohort)
    table.insert(0, "model", snakemake.wildcards.model)
    write_table(table, snakemake.output.scores)
