"""Choose the colours of a cohort's labels and patients."""

from pathlib import Path

from sagefm.cohort import cohort_obs
from sagefm.figures.palette import palette_table
from sagefm.io import write_table
from sagefm.script import job

with job(snakemake):
    obs = cohort_obs(tuple(map(Path, snakemake.input.samples)))
    write_table(palette_table(obs), snakemake.output.palette)
