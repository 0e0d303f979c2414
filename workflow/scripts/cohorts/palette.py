"""Choose the colours of a cohort's labels, classes and patients."""

from pathlib import Path

from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.plotting.palette import palette_table
from sagefm.sections.cohort import cohort_obs, describe_spots

with job(snakemake):
    inputs = snakemake.input
    spots = cohort_obs([Path(path) for path in inputs.samples])
    obs = describe_spots(spots, snakemake.params.rows, inputs.labels)
    classes = [read_table(path, dtype={"class": str}) for path in inputs.classes]
    write_table(palette_table(obs, classes), snakemake.output.palette)
