"""Write what each representation of a cohort cost, its model's training included."""

from sagefm.costs import costs_table
from sagefm.io import write_table
from sagefm.script import job

with job(snakemake):
    inputs, params = snakemake.input, snakemake.params
    benchmarks = dict(zip(params.representations, inputs.benchmarks, strict=True))
    trainings = dict(zip(params.trained, inputs.trainings, strict=True))
    write_table(costs_table(benchmarks, trainings), snakemake.output.costs)
