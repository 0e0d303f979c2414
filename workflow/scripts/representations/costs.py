"""Write run time and memory of each representation of a cohort, with its model's training time."""

from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.representations.costs import costs_table

with job(snakemake):
    inputs, params = snakemake.input, snakemake.params
    benchmarks = dict(zip(params.representations, inputs.benchmarks, strict=True))
    trainings = dict(zip(params.trained, inputs.trainings, strict=True))
    write_table(costs_table(benchmarks, trainings, params.differs), snakemake.output.costs)
